//! The charts of a report: SVG that says in words what it shows, without scripts.

use super::result::{Counted, Moment, Rehearsal};
use maud::{Markup, html};
use std::fmt::Write as _;

/// The width of a chart, in its own units.
const WIDTH: u64 = 720;
/// The height of a chart's field.
const HEIGHT: u64 = 200;
/// Room for what stands left of the field.
const LEFT: u64 = 48;
/// Room for what stands under the field.
const BELOW: u64 = 28;

/// A field with its scales: the time to the right, a count upwards.
struct Field {
    seconds: u64,
    most: u64,
}

impl Field {
    fn new(moments: &[Moment], most: u64) -> Self {
        let seconds = moments.last().map_or(1, |moment| moment.second).max(1);
        Self { seconds, most: rounded_up(most) }
    }

    fn x(&self, second: u64) -> u64 {
        LEFT + second.min(self.seconds) * (WIDTH - LEFT) / self.seconds
    }

    fn y(&self, count: u64) -> u64 {
        HEIGHT - count.min(self.most) * (HEIGHT - 8) / self.most
    }

    /// Lines across with their counts, and the time under them.
    fn scales(&self) -> Markup {
        let marks = [0, self.most / 2, self.most];
        let step = minutes_step(self.seconds);
        let times = (0..=self.seconds / step).map(|nth| nth * step);
        html! {
            @for mark in marks {
                line.grid x1=(LEFT) x2=(WIDTH) y1=(self.y(mark)) y2=(self.y(mark)) {}
                text.scale x=(LEFT - 8) y=(self.y(mark) + 4) text-anchor="end" { (mark) }
            }
            @for second in times.filter(|second| self.x(*second) < WIDTH - 20) {
                text.scale x=(self.x(second)) y=(HEIGHT + 20) text-anchor=(if second == 0 { "start" } else { "middle" }) {
                    (time_words(second))
                }
            }
        }
    }

    /// The area between two lines, in steps: what stands at a moment stands until the next.
    fn area(
        &self,
        moments: &[Moment],
        low: impl Fn(&Moment) -> u64,
        high: impl Fn(&Moment) -> u64,
    ) -> String {
        let mut path = String::new();
        let mut back = Vec::new();
        let mut next = moments.iter().skip(1).map(|moment| moment.second);
        for (i, moment) in moments.iter().enumerate() {
            let (from, to) = (self.x(moment.second), self.x(next.next().unwrap_or(moment.second)));
            let (top, bottom) = (self.y(high(moment)), self.y(low(moment)));
            let letter = if i == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{letter}{from} {top}H{to}");
            back.push(format!("L{to} {bottom}H{from}"));
        }
        back.reverse();
        if path.is_empty() { path } else { format!("{path}{}Z", back.concat()) }
    }
}

/// A chart's frame, with what it shows in words.
fn frame(words: &str, inside: &Markup) -> Markup {
    html! {
        svg.chart viewBox=(format!("0 0 {WIDTH} {}", HEIGHT + BELOW)) role="img" aria-label=(words) { (inside) }
    }
}

/// Units sold and held as the drop went, and how many there are.
pub fn stock(rehearsal: &Rehearsal) -> Markup {
    let moments = &rehearsal.timeline;
    let taken = |moment: &Moment| moment.sold + moment.held;
    let quantity = rehearsal.stock.quantity.unwrap_or(0);
    let most = moments.iter().map(taken).max().unwrap_or(0).max(quantity).max(1);
    let field = Field::new(moments, most);
    let words = format!(
        "Of {quantity} units, {} were sold in the end and {} held; most were held at {}.",
        rehearsal.stock.sold,
        rehearsal.stock.held,
        moments
            .iter()
            .max_by_key(|moment| moment.held)
            .map_or_else(String::new, |moment| time_words(moment.second))
    );
    frame(
        &words,
        &html! {
            (field.scales())
            path.sold d=(field.area(moments, |_| 0, |moment| moment.sold)) {}
            path.held d=(field.area(moments, |moment| moment.sold, taken)) {}
            @if quantity > 0 {
                line.limit x1=(LEFT) x2=(WIDTH) y1=(field.y(quantity)) y2=(field.y(quantity)) {}
            }
        },
    )
}

/// Posts as they came, in equal slices of time.
pub fn posts(rehearsal: &Rehearsal) -> Markup {
    const SLICES: u64 = 60;
    let moments = &rehearsal.timeline;
    // The long wait for the last holds would press the wave into a corner.
    let until = (rehearsal.offer.window_seconds + u64::from(rehearsal.settings.spread_seconds))
        .min(moments.last().map_or(1, |moment| moment.second))
        .max(1);
    let mut slices: Vec<u64> = vec![0; usize::try_from(SLICES).unwrap_or(60)];
    for moment in moments {
        let nth = usize::try_from(moment.second * SLICES / until).unwrap_or(0);
        if let Some(slice) = slices.get_mut(nth) {
            *slice += moment.posts;
        }
    }
    let most = slices.iter().copied().max().unwrap_or(0).max(1);
    let field = Field { seconds: until, most: rounded_up(most) };
    let width = (WIDTH - LEFT) / SLICES;
    let slice_seconds = until.div_ceil(SLICES);
    let words = format!("Posts every {slice_seconds} seconds; at most {most}.");
    frame(
        &words,
        &html! {
            (field.scales())
            @for (nth, count) in (0_u64..).zip(&slices) {
                rect.series x=(LEFT + nth * width) width=(width.saturating_sub(2).max(1)) y=(field.y(*count))
                    height=(HEIGHT - field.y(*count)) {}
            }
        },
    )
}

/// What became of everybody: a bar for each outcome.
pub fn outcomes(rehearsal: &Rehearsal) -> Markup {
    let all = rehearsal.buyers().max(1);
    let most = rehearsal.outcomes.iter().map(|counted| counted.buyers).max().unwrap_or(1).max(1);
    html! {
        table.outcomes {
            thead.hidden { tr { th scope="col" { "What became of buyers" } th scope="col" { "Buyers" } th scope="col" { "Share" } } }
            tbody {
                @for counted in &rehearsal.outcomes { (outcome(counted, all, most)) }
            }
        }
    }
}

fn outcome(counted: &Counted, all: u64, most: u64) -> Markup {
    let width = (counted.buyers * 1000).div_ceil(most).max(4);
    html! {
        tr {
            th scope="row" { (counted.outcome) span.group { (counted.group) } }
            td.num { (counted.buyers) }
            td.share {
                svg.bar viewBox="0 0 1000 20" preserveAspectRatio="none" aria-hidden="true" {
                    rect class=(counted.group.class()) width=(width) height="20" {}
                }
                span { (percent(counted.buyers, all)) }
            }
        }
    }
}

/// `4%`, and `<1%` rather than none.
pub fn percent(part: u64, all: u64) -> String {
    match part * 100 / all.max(1) {
        0 if part > 0 => "<1%".to_owned(),
        percent => format!("{percent}%"),
    }
}

/// The next number that reads well on a scale.
fn rounded_up(most: u64) -> u64 {
    let mut step = 1;
    loop {
        for factor in [1, 2, 4, 5, 6, 8] {
            if factor * step >= most && (factor * step).is_multiple_of(2) {
                return factor * step;
            }
        }
        step *= 10;
    }
}

/// From one time under a chart to the next, so that there are a handful.
fn minutes_step(seconds: u64) -> u64 {
    let steps = [30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400];
    steps.into_iter().find(|step| seconds / step <= 8).unwrap_or(86_400)
}

/// `0:30`, `15 min`, `1 h 30`
pub fn time_words(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, rest) => format!("{rest} s"),
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, rest) => format!("{minutes}:{rest:02} min"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_on_even_numbers_that_read_well() {
        for (most, wanted) in
            [(0, 2), (1, 2), (3, 4), (7, 8), (9, 10), (11, 20), (200, 200), (201, 400), (5321, 6000)]
        {
            assert_eq!(rounded_up(most), wanted, "{most}");
        }
        assert_eq!(minutes_step(1320), 300);
        assert_eq!(minutes_step(86_400), 14_400);
    }

    #[test]
    fn times_read_well() {
        for (seconds, wanted) in
            [(30, "30 s"), (90, "1:30 min"), (900, "15 min"), (3600, "1 h"), (5400, "1 h 30")]
        {
            assert_eq!(time_words(seconds), wanted);
        }
    }

    #[test]
    fn an_area_follows_its_moments_in_steps() {
        let at = |second, sold| Moment { second, posts: 0, sold, held: 0, waiting: 0 };
        let moments = [at(0, 0), at(50, 10), at(100, 10)];
        let field = Field::new(&moments, 10);
        let path = field.area(&moments, |_| 0, |moment| moment.sold);
        assert!(
            path.starts_with("M48 200H384L384 8H720L720 8H720L720 200H720") && path.ends_with('Z'),
            "{path}"
        );
        assert_eq!(field.area(&[], |_| 0, |_| 0), "");
    }
}
