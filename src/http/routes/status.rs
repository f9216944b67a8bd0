//! How the till stands: for probes, for Prometheus, and the description of the API itself.

use crate::engine::{BOUNDS_MICROS, Timings};
use crate::http::answer::{Answer, json_bytes};
use crate::http::api::Shared;
use crate::http::call::Call;
use crate::http::message::Response;
use crate::http::openapi;
use crate::http::problem::{Code, Problem};
use crate::http::route::Route;
use crate::till::pace;
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

/// Prometheus' text format.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

pub const ROUTES: &[Route] = &[
    Route::get("/healthz", "health", "Whether the process answers.", health).open().gives::<Status>(),
    Route::get("/readyz", "ready", "Whether the till sells; 503 says why not.", ready)
        .open()
        .gives::<Status>(),
    Route::get("/metrics", "metrics", "Figures for Prometheus.", metrics).open().produces(METRICS_TYPE),
    Route::get("/v1/openapi.json", "openapi", "This description of the API.", description)
        .open()
        .gives::<serde_json::Value>(),
];

/// All is well.
#[derive(Serialize, JsonSchema)]
struct Status {
    status: &'static str,
}

fn health(_: &Arc<Shared>, _: &Call) -> Result<Answer, Problem> {
    Answer::ok(&Status { status: "ok" })
}

fn ready(shared: &Arc<Shared>, _: &Call) -> Result<Answer, Problem> {
    let gateways = || shared.gateways.trouble().map_or(Ok(()), Err);
    match shared.handle.ready().and_then(|()| gateways()) {
        Ok(()) => Answer::ok(&Status { status: "ready" }),
        Err(reason) => Err(Problem::new(Code::Unavailable, reason).with_header("Retry-After", "5")),
    }
}

#[allow(clippy::unnecessary_wraps, reason = "as a handler must")]
fn description(_: &Arc<Shared>, _: &Call) -> Result<Answer, Problem> {
    static TEXT: OnceLock<Vec<u8>> = OnceLock::new();
    let text = TEXT.get_or_init(|| openapi::document().to_string().into_bytes());
    Ok(Answer::Now(json_bytes(200, text.clone())))
}

/// Text in Prometheus' format, one figure after the other.
#[derive(Default)]
struct Figures(String);

impl Figures {
    fn head(&mut self, name: &str, kind: &str, about: &str) {
        let _ = writeln!(self.0, "# HELP tagtill_{name} {about}\n# TYPE tagtill_{name} {kind}");
    }

    fn one(&mut self, name: &str, kind: &str, about: &str, value: u64) {
        self.head(name, kind, about);
        let _ = writeln!(self.0, "tagtill_{name} {value}");
    }

    fn labelled(&mut self, name: &str, label: &str, key: impl std::fmt::Display, value: u64) {
        let _ = writeln!(self.0, "tagtill_{name}{{{label}=\"{key}\"}} {value}");
    }

    #[allow(clippy::cast_precision_loss, reason = "bounds are small")]
    fn timings(&mut self, name: &str, about: &str, timings: &Timings) {
        self.head(name, "histogram", about);
        let bucket = format!("{name}_bucket");
        let mut so_far = 0;
        for (bound, count) in BOUNDS_MICROS.iter().zip(&timings.buckets) {
            so_far += count;
            self.labelled(&bucket, "le", *bound as f64 / 1e6, so_far);
        }
        self.labelled(&bucket, "le", "+Inf", timings.count());
        let sum = timings.sum.as_secs_f64();
        let _ = writeln!(self.0, "tagtill_{name}_sum {sum}\ntagtill_{name}_count {}", timings.count());
    }
}

#[allow(clippy::unnecessary_wraps, reason = "as a handler must")]
fn metrics(shared: &Arc<Shared>, _: &Call) -> Result<Answer, Problem> {
    let stats = shared.handle.stats();
    let mut figures = Figures::default();
    figures.one("ready", "gauge", "Whether the till sells.", u64::from(shared.handle.ready().is_ok()));
    figures.one("commits_total", "counter", "Commits that wrote something.", stats.commits);
    figures.one("commands_total", "counter", "Commands applied, refused ones included.", stats.commands);
    figures.one("commands_refused_total", "counter", "Commands refused.", stats.refused);
    figures.one("holds_expired_total", "counter", "Holds freed because nobody confirmed.", stats.expired);
    figures.timings("tick_seconds", "Time that a tick took, without its commit.", &stats.ticks);
    figures.timings("commit_seconds", "Time that a commit took.", &stats.commit_times);
    figures.one("queue_jobs", "gauge", "Jobs waiting for the writer.", stats.queued_jobs);
    figures.one("waiting", "gauge", "Long polls waiting for news.", stats.waiting);
    let paused = shared.handle.snapshot().and_then(|snapshot| pace::paused(&snapshot)).unwrap_or_default();
    figures.head("captures_paused", "gauge", "Whether a network's captures wait for an operator.");
    for (network, _) in paused {
        figures.labelled("captures_paused", "network", network, 1);
    }
    figures.head("requests_total", "counter", "Requests answered, by class of status.");
    for (class, count) in shared.metrics.classes() {
        figures.labelled("requests_total", "status", format_args!("{class}xx"), count);
    }
    figures.head("posts_total", "counter", "Posts judged, by verdict.");
    for (verdict, count) in shared.metrics.verdicts() {
        figures.labelled("posts_total", "verdict", verdict.code(), count);
    }
    bridge_figures(shared, &mut figures);
    gate_figures(shared, &mut figures);
    let answer = Response::new(200, METRICS_TYPE, figures.0);
    Ok(Answer::Now(answer.with_header("Cache-Control", "no-store")))
}

/// What bridges say of themselves.
fn bridge_figures(shared: &Shared, figures: &mut Figures) {
    let bridges = shared.bridges.all();
    figures.head("bridge_seen_seconds", "gauge", "Time since a network's bridge was last heard.");
    for (network, last) in &bridges {
        figures.labelled("bridge_seen_seconds", "network", network, last.heard.elapsed().as_secs());
    }
    let lines = [
        ("bridge_lag_seconds", "gauge", "How far a bridge says that it is behind its network."),
        ("bridge_posts_total", "counter", "Posts that a bridge says it delivered."),
        ("bridge_replies_total", "counter", "Replies that a bridge says it posted."),
    ];
    for (at, (name, kind, about)) in lines.into_iter().enumerate() {
        figures.head(name, kind, about);
        for (network, last) in &bridges {
            let value = [last.lag_seconds, last.posts, last.replies].get(at).copied().flatten();
            if let Some(value) = value {
                figures.labelled(name, "network", network, value);
            }
        }
    }
    figures.head("bridge_errors_total", "counter", "What a bridge says went wrong, by kind.");
    for (network, last) in &bridges {
        for (kind, count) in &last.errors {
            let _ = writeln!(
                figures.0,
                "tagtill_bridge_errors_total{{network=\"{network}\",kind=\"{kind}\"}} {count}"
            );
        }
    }
}

fn gate_figures(shared: &Shared, figures: &mut Figures) {
    let Some(stats) = shared.gate.get().and_then(|ask| ask()) else { return };
    let gauge = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    figures.head("gate_slots", "gauge", "Slots of the gate, by what they do.");
    let doing =
        [("busy", stats.busy), ("idle", stats.idle), ("reading", stats.reading), ("parked", stats.parked)];
    for (what, count) in doing {
        figures.labelled("gate_slots", "state", what, gauge(count));
    }
    figures.one("gate_slots_max", "gauge", "Slots of the gate in all.", gauge(stats.slots));
    figures.one("gate_shed_total", "counter", "Connections shed.", stats.shed_total);
    figures.head("gate_refused_total", "counter", "Requests that the gate refused, by status.");
    for (status, count) in &stats.refused_total {
        figures.labelled("gate_refused_total", "status", status, *count);
    }
}
