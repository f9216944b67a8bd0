//! How long a label becomes in Punycode (RFC 3492). Nothing here encodes or decodes for use.

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const BIAS_AT_START: u32 = 72;
const N_AT_START: u32 = 0x80;

/// The number of ASCII characters that `points` take, without the `xn--` before them. Meant for labels: its time grows
/// with the square of their length.
pub(super) fn encoded_len(points: &[u32]) -> usize {
    let basic = points.iter().filter(|&&point| point < N_AT_START).count();
    let mut length = if basic > 0 { basic + 1 } else { 0 };
    let mut handled = u32::try_from(basic).unwrap_or(u32::MAX);
    let (mut n, mut delta, mut bias, mut first) = (N_AT_START, 0_u32, BIAS_AT_START, true);
    while let Some(next) = points.iter().copied().filter(|&point| point >= n).min() {
        delta = delta.saturating_add((next - n).saturating_mul(handled.saturating_add(1)));
        n = next;
        for &point in points {
            if point < n {
                delta = delta.saturating_add(1);
            } else if point == n {
                length += digits(delta, bias);
                handled = handled.saturating_add(1);
                bias = adapt(delta, handled, first);
                (delta, first) = (0, false);
            }
        }
        delta = delta.saturating_add(1);
        n += 1;
    }
    length
}

/// The number of digits of `delta` as a generalized variable-length integer (RFC 3492, section 3.3).
fn digits(delta: u32, bias: u32) -> usize {
    let (mut rest, mut k, mut count) = (delta, BASE, 1);
    loop {
        let t = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
        if rest < t {
            return count;
        }
        rest = (rest - t) / (BASE - t);
        k += BASE;
        count += 1;
    }
}

/// RFC 3492, section 6.1.
fn adapt(delta: u32, handled: u32, first: bool) -> u32 {
    let mut delta = if first { delta / DAMP } else { delta / 2 };
    delta = delta.saturating_add(delta / handled.max(1));
    let mut k = 0;
    while delta > (BASE - T_MIN) * T_MAX / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + SKEW)
}

#[cfg(test)]
mod tests {
    use super::encoded_len;

    fn len(label: &str) -> usize {
        encoded_len(&label.chars().map(u32::from).collect::<Vec<_>>())
    }

    #[test]
    fn lengths_of_known_labels() {
        assert_eq!(len("münchen"), "mnchen-3ya".len());
        assert_eq!(len("bücher"), "bcher-kva".len());
        assert_eq!(len("例え"), "r8jz45g".len());
        assert_eq!(len("ελ"), "qxam".len());
        // RFC 3492, section 7.1, (A) and (L)
        assert_eq!(len("ليهمابتكلموشعربي؟"), "egbpdaj6bu4bxfgehfvwxn".len());
        assert_eq!(len("3年B組金八先生"), "3B-ww4c5e180e575a65lsy2b".len());
    }
}
