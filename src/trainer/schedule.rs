//! Learning rate over time.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::experiment::ScheduleKind;

/// How long a run is going to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Horizon {
    /// It ends after so many steps, with the rate at 0. Who goes on from there in the window goes on
    /// as in a run without end.
    Steps(u64),
    /// It has no end, as in the window; the rate falls to a floor.
    Endless,
}

/// Steps over which the rate of an endless run falls: three epochs of MNIST in batches of 128.
const ENDLESS_PERIOD: u64 = 1404;

/// Where it stays then, as a share of the highest rate. Measured: ArcFace chosen at step 5,000
/// still moves the picture at once (`tests/engine/changes.rs`).
pub const ENDLESS_FLOOR: f64 = 0.1;

/// The last change of loss, margin or scale in an endless run: from here the rate rises again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rewarm {
    /// Step of the change; 0 for the start of the run.
    pub at: u64,
    /// Share of the rate in force at that step, which the new rise never falls below.
    pub share: f64,
}

/// Share of the highest learning rate in force at `step`.
///
/// Rises linearly over `warmup` steps and falls along half a cosine. In an endless run both are
/// counted from the last change, and the rate never falls below the floor once it has been above.
pub fn rate_share(
    kind: ScheduleKind,
    horizon: Horizon,
    warmup: u64,
    step: u64,
    rewarm: Rewarm,
) -> f64 {
    let (elapsed, period, floor, least) = match horizon {
        Horizon::Steps(total) if step < total => (step, total, 0.0, 0.0),
        Horizon::Steps(total) if rewarm.at < total => (total, total, ENDLESS_FLOOR, 0.0),
        Horizon::Steps(_) | Horizon::Endless => {
            let since = step.saturating_sub(rewarm.at);
            (since, ENDLESS_PERIOD, ENDLESS_FLOOR, rewarm.share)
        }
    };
    let fallen = match kind {
        ScheduleKind::Constant => 1.0,
        ScheduleKind::Cosine => {
            let phase = elapsed.min(period) as f64 / period.max(1) as f64;
            floor + (1.0 - floor) * 0.5 * (1.0 + (PI * phase).cos())
        }
    };
    let warm = (elapsed + 1) as f64 / warmup.max(1) as f64;
    fallen * warm.max(least).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(horizon: Horizon, step: u64, at: u64) -> f64 {
        let share = if at == 0 { 0.0 } else { ENDLESS_FLOOR };
        rate_share(
            ScheduleKind::Cosine,
            horizon,
            100,
            step,
            Rewarm { at, share },
        )
    }

    #[test]
    fn a_run_with_an_end_falls_to_zero() {
        assert!(share(Horizon::Steps(1000), 0, 0) < 0.02);
        assert!(share(Horizon::Steps(1000), 120, 0) > 0.9);
        assert!(share(Horizon::Steps(1000), 999, 0) < 1e-4);
    }

    #[test]
    fn a_run_beyond_its_end_goes_on_like_one_without() {
        assert_eq!(share(Horizon::Steps(1000), 1000, 0), ENDLESS_FLOOR);
        assert_eq!(share(Horizon::Steps(1000), 9000, 500), ENDLESS_FLOOR);
        assert!(share(Horizon::Steps(1000), 5100, 5000) > 0.9);
    }

    #[test]
    fn an_endless_run_rests_on_its_floor_until_something_changes() {
        assert_eq!(share(Horizon::Endless, 5000, 0), ENDLESS_FLOOR);
        assert!(share(Horizon::Endless, 5100, 5000) > 0.9);
        assert!(share(Horizon::Endless, 5001, 5000) >= ENDLESS_FLOOR * 0.9);
    }

    #[test]
    fn a_slider_that_is_dragged_does_not_hold_the_rate_down() {
        let mut rewarm = Rewarm::default();
        for step in 200..260 {
            let share = rate_share(ScheduleKind::Cosine, Horizon::Endless, 300, step, rewarm);
            assert!(share > 0.6, "step {step}: {share}");
            rewarm = Rewarm { at: step, share };
        }
    }
}
