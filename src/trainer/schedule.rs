//! Learning rate over time.

use std::f64::consts::PI;

use crate::experiment::ScheduleKind;

/// How long a run is going to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Horizon {
    /// It ends after so many steps; the rate falls to 0.
    Steps(u64),
    /// It has no end, as in the window; the rate falls to a floor.
    Endless,
}

/// Steps over which the rate of an endless run falls: three epochs of MNIST in batches of 128.
const ENDLESS_PERIOD: u64 = 1404;

/// Where it stays then, as a share of the highest rate. Measured: ArcFace chosen at step 5,000
/// still moves the picture at once (`tests/engine.rs`).
pub const ENDLESS_FLOOR: f64 = 0.1;

/// Share of the highest learning rate in force at `step`.
///
/// Rises linearly over `warmup` steps and falls along half a cosine. In an endless run both are
/// counted from `rewarmed_at`, the last change of loss, margin or scale, and never fall below the
/// floor once the run is under way.
pub fn rate_share(
    kind: ScheduleKind,
    horizon: Horizon,
    warmup: u64,
    step: u64,
    rewarmed_at: u64,
) -> f64 {
    let since = step.saturating_sub(rewarmed_at);
    let (elapsed, period, floor) = match horizon {
        Horizon::Steps(total) => (step, total, 0.0),
        Horizon::Endless => (since, ENDLESS_PERIOD, ENDLESS_FLOOR),
    };
    let fallen = match kind {
        ScheduleKind::Constant => 1.0,
        ScheduleKind::Cosine => {
            let phase = elapsed.min(period) as f64 / period.max(1) as f64;
            floor + (1.0 - floor) * 0.5 * (1.0 + (PI * phase).cos())
        }
    };
    let warm = |steps: u64| (steps + 1) as f64 / warmup.max(1) as f64;
    match horizon {
        Horizon::Steps(_) => fallen * warm(step).min(1.0),
        Horizon::Endless if rewarmed_at == 0 => fallen * warm(step).min(1.0),
        Horizon::Endless => fallen * warm(since).clamp(ENDLESS_FLOOR, 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(horizon: Horizon, step: u64, rewarmed_at: u64) -> f64 {
        rate_share(ScheduleKind::Cosine, horizon, 100, step, rewarmed_at)
    }

    #[test]
    fn a_run_with_an_end_falls_to_zero() {
        assert!(share(Horizon::Steps(1000), 0, 0) < 0.02);
        assert!(share(Horizon::Steps(1000), 120, 0) > 0.9);
        assert!(share(Horizon::Steps(1000), 999, 0) < 1e-4);
    }

    #[test]
    fn an_endless_run_rests_on_its_floor_until_something_changes() {
        assert_eq!(share(Horizon::Endless, 5000, 0), ENDLESS_FLOOR);
        assert!(share(Horizon::Endless, 5100, 5000) > 0.9);
        assert!(share(Horizon::Endless, 5001, 5000) >= ENDLESS_FLOOR * 0.9);
    }
}
