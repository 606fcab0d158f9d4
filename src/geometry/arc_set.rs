//! Sets of disjoint arcs of one circle, cut down one condition at a time.

use std::f64::consts::TAU;

/// Disjoint arcs `(start, end)` in radians with 0 ≤ start ≤ end ≤ 2π, ascending.
#[derive(Debug, Clone)]
pub(super) struct ArcSet {
    arcs: Vec<(f64, f64)>,
}

impl ArcSet {
    /// The whole circle.
    pub(super) fn full() -> Self {
        Self {
            arcs: vec![(0.0, TAU)],
        }
    }

    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.arcs.is_empty()
    }

    /// Drops everything.
    pub(super) fn clear(&mut self) {
        self.arcs.clear();
    }

    /// Keeps {t: amplitude·cos(t − phase) ≥ threshold}, one arc about `phase_rad`.
    ///
    /// Its half width is atan2(√(A² − q²), q), which is acos(q/A) without the loss near ±1. A
    /// single point (q = A) counts as nothing.
    pub(super) fn keep_where(&mut self, amplitude: f64, phase_rad: f64, threshold: f64) {
        if threshold <= -amplitude {
            return;
        }
        if threshold >= amplitude {
            return self.clear();
        }
        let across = ((amplitude - threshold) * (amplitude + threshold)).sqrt();
        let half = across.atan2(threshold);
        self.keep(phase_rad - half, 2.0 * half);
    }

    /// Keeps what lies on the arc of `length_rad` ≤ 2π that begins at `start_rad`.
    fn keep(&mut self, start_rad: f64, length_rad: f64) {
        let start = start_rad.rem_euclid(TAU);
        let end = start + length_rad;
        let mut kept = Vec::with_capacity(self.arcs.len() + 1);
        for &(a, b) in &self.arcs {
            // The allowed arc as it reaches over 2π from the turn before, then itself.
            for (s, e) in [(start - TAU, end - TAU), (start, end)] {
                let (lo, hi) = (a.max(s), b.min(e));
                if lo < hi {
                    kept.push((lo, hi));
                }
            }
        }
        self.arcs = kept;
    }

    /// The arcs longer than `min_length_rad`, joined across 0; start in [0, 2π), length ≤ 2π.
    pub(super) fn into_arcs(mut self, min_length_rad: f64) -> Vec<(f64, f64)> {
        if self.arcs.len() > 1
            && let (Some(&(first, first_end)), Some(&(last, last_end))) =
                (self.arcs.first(), self.arcs.last())
            && first <= 0.0
            && last_end >= TAU
        {
            self.arcs.pop();
            self.arcs.remove(0);
            self.arcs.push((last, first_end + TAU));
        }
        self.arcs.retain(|(a, b)| b - a > min_length_rad);
        self.arcs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arcs_where(conditions: &[(f64, f64, f64)]) -> Vec<(f64, f64)> {
        let mut set = ArcSet::full();
        for &(amplitude, phase, threshold) in conditions {
            set.keep_where(amplitude, phase, threshold);
        }
        set.into_arcs(1e-12)
    }

    #[test]
    fn an_arc_across_zero_is_joined() {
        let arcs = arcs_where(&[(1.0, 0.0, 0.5)]);
        assert_eq!(arcs.len(), 1);
        assert!((arcs[0].0 - (TAU - TAU / 6.0)).abs() < 1e-14);
        assert!((arcs[0].1 - (TAU + TAU / 6.0)).abs() < 1e-14);
    }

    #[test]
    fn two_wide_arcs_leave_two_gaps() {
        let arcs = arcs_where(&[(1.0, 0.0, -0.9), (1.0, 3.0, -0.9)]);
        assert_eq!(arcs.len(), 2);
    }

    #[test]
    fn trivial_conditions_keep_all_or_nothing() {
        assert_eq!(arcs_where(&[(1.0, 2.0, -1.0)]), vec![(0.0, TAU)]);
        assert!(arcs_where(&[(1.0, 2.0, 1.0)]).is_empty());
    }
}
