//! How much of the time goes to probing.

/// Share of the time that goes to probing.
const PROBE_SHARE: f64 = 0.1;
/// The same where more samples than the default are drawn.
const PROBE_SHARE_OF_MANY: f64 = 0.25;
/// Probes up to this size count as the default.
pub(super) const FEW_SAMPLES: usize = 2000;

/// Measured times, smoothed. They steer how much is probed, never what is trained.
#[derive(Clone, Default)]
pub(super) struct Pace {
    pub(super) step_secs: f64,
    pub(super) probe_secs_per_sample: f64,
    /// Time that steps have earned for probing and probing has not yet used.
    pub(super) budget_secs: f64,
}

impl Pace {
    pub(super) fn smooth(average: &mut f64, value: f64) {
        const WEIGHT: f64 = 0.1;
        *average = if *average == 0.0 {
            value
        } else {
            *average + WEIGHT * (value - *average)
        };
    }

    /// Samples, of `n_samples`, that can be probed after a step of `secs` without passing the share.
    ///
    /// What one step does not earn is saved up, so that short steps come to a slice in the end,
    /// however long a disturbed measurement said that a sample takes.
    pub(super) fn slice(&mut self, n_samples: usize, secs: f64) -> usize {
        const LEAST: usize = 16; // fewer samples cost nearly as much as these
        let share = if n_samples <= FEW_SAMPLES {
            PROBE_SHARE
        } else {
            PROBE_SHARE_OF_MANY
        };
        let least = LEAST.min(n_samples);
        self.budget_secs += share / (1.0 - share) * secs;
        if self.probe_secs_per_sample == 0.0 {
            return least;
        }
        let n = (self.budget_secs / self.probe_secs_per_sample) as usize; // a debt gives 0
        if n < least { 0 } else { n.min(n_samples) }
    }

    /// Notes that probing `n` samples took `secs`.
    pub(super) fn spend(&mut self, n: usize, secs: f64) {
        self.budget_secs -= secs;
        Self::smooth(&mut self.probe_secs_per_sample, secs / n.max(1) as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One probe of 10 ms among steps of 50 µs: the picture went on only after a pause.
    #[test]
    fn a_disturbed_measurement_does_not_stop_probing() {
        const STEP_SECS: f64 = 50e-6;
        let mut pace = Pace::default();
        let first = pace.slice(2000, STEP_SECS);
        pace.spend(first, 10e-3);
        let n_probed: usize = (0..20_000)
            .map(|_| {
                let n = pace.slice(2000, STEP_SECS);
                if n > 0 {
                    pace.spend(n, n as f64 * 1e-6);
                }
                n
            })
            .sum();
        assert!(n_probed > 2000, "{n_probed} samples in 20,000 steps");
    }

    #[test]
    fn probing_keeps_to_its_share() {
        let mut pace = Pace::default();
        let mut secs = 0.0;
        for _ in 0..10_000 {
            let n = pace.slice(2000, 1e-3);
            if n > 0 {
                pace.spend(n, n as f64 * 3e-6);
                secs += n as f64 * 3e-6;
            }
        }
        let share = secs / (secs + 10_000.0 * 1e-3);
        assert!(share > 0.09 && share < 0.101, "{share}");
    }
}
