//! Round numbers at axes.

use crate::scene::thousands;

/// A step of 1, 2 or 5 times a power of ten of which four to eight fit.
pub(in crate::scene) fn round_step(width: f64) -> f64 {
    const FEWEST: f64 = 4.0;
    let power = 10f64.powf((width / FEWEST).log10().floor());
    let factors = [5.0, 2.0, 1.0].into_iter();
    let mut steps = factors.map(|factor| factor * power);
    steps.find(|step| width / step >= FEWEST).unwrap_or(power)
}

/// The next larger of such steps.
pub(in crate::scene) fn next_step(step: f64) -> f64 {
    let leading = step / 10f64.powf((step.log10() + 1e-9).floor());
    let is_two = (1.5..3.0).contains(&leading);
    step * if is_two { 2.5 } else { 2.0 }
}

pub(in crate::scene) fn multiples(step: f64, [low, high]: [f64; 2]) -> impl Iterator<Item = f64> {
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    (first..=last).map(move |i| i as f64 * step)
}

/// A multiple of `step`, as short as it can be.
pub(in crate::scene) fn number(value: f64, step: f64) -> String {
    let decimals = (-step.log10() - 1e-9).ceil().clamp(0.0, 12.0) as usize;
    if decimals == 0 && value >= 10_000.0 {
        return thousands(value.round() as u64);
    }
    let text = format!("{value:.decimals$}");
    let is_zero = text
        .trim_start_matches('-')
        .trim_matches(['0', '.'])
        .is_empty();
    if is_zero { "0".to_owned() } else { text }
}

/// From 0 in four or five equal steps to a round number that is not below `highest`, as low as it
/// may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ladder {
    pub(super) step: f64,
    pub(super) n_steps: u32,
}

impl Ladder {
    pub(super) fn to(highest: f64) -> Self {
        const FACTORS: [f64; 5] = [1.0, 2.0, 2.5, 5.0, 10.0];
        let power = 10f64.powf((highest / 5.0).log10().floor());
        let steps = FACTORS.into_iter().flat_map(|factor| {
            [4, 5].map(|n_steps| Self {
                step: factor * power,
                n_steps,
            })
        });
        // Rounding must not ask for another step.
        let enough = steps.filter(|ladder| ladder.top() > highest * (1.0 - 1e-9));
        enough
            .min_by(|a, b| a.top().total_cmp(&b.top()))
            .unwrap_or(Self {
                step: 1.0,
                n_steps: 5,
            })
    }

    /// The same for counts: whole numbers.
    pub(super) fn of_count(highest: u32) -> Self {
        let ladder = Self::to(f64::from(highest.max(1)));
        if ladder.step.fract() == 0.0 {
            return ladder;
        }
        Self {
            step: (f64::from(highest.max(1)) / 4.0).ceil(),
            n_steps: 4,
        }
    }

    pub(super) fn top(self) -> f64 {
        self.step * f64::from(self.n_steps)
    }

    /// All of its rungs, as they are written.
    pub(super) fn ticks(self) -> Vec<(f64, String)> {
        let decimals = decimals(self.step);
        let rungs = (0..=self.n_steps).map(|i| f64::from(i) * self.step);
        rungs
            .map(|at| match decimals {
                0 if at >= LARGE => (at, format!("{at:.0e}")),
                0 => (at, thousands(at.round() as u64)),
                _ if at == 0.0 => (at, "0".to_owned()),
                _ => (at, format!("{at:.decimals$}")),
            })
            .collect()
    }
}

/// Larger numbers are powers of ten.
const LARGE: f64 = 1e7;

/// Digits behind the point that a multiple of `step` needs.
fn decimals(step: f64) -> usize {
    const MOST: usize = 9;
    let is_whole = |decimals: &usize| {
        let scaled = step * 10f64.powi(*decimals as i32);
        (scaled - scaled.round()).abs() < 1e-6 * scaled
    };
    (0..MOST).find(is_whole).unwrap_or(MOST)
}

/// Every so many degrees from 0 to the end, as numbers: the title says the unit.
pub(super) fn degrees(every_deg: u16, end_deg: f64) -> Vec<(f64, String)> {
    let ticks = multiples(f64::from(every_deg), [0.0, end_deg]);
    ticks.map(|at| (at, at.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(highest: f64, step: f64, n_steps: u32) {
        let ladder = Ladder::to(highest);
        assert!((ladder.step - step).abs() < 1e-9 * step, "{ladder:?}");
        assert_eq!(ladder.n_steps, n_steps, "{ladder:?}");
    }

    #[test]
    fn an_axis_ends_at_the_next_round_number() {
        check(14.5, 5.0, 4); // 20, where 12.5 is too low
        check(12.5, 2.5, 5);
        check(841.0, 200.0, 5);
        check(0.36, 0.1, 4);
        check(2.303, 0.5, 5);
        check(1.0, 0.2, 5);
        assert_eq!(Ladder::of_count(841).ticks()[5].1, "1,000");
        assert_eq!(Ladder::to(12.0).ticks()[1].1, "2.5");
        assert_eq!(Ladder::to(0.36).ticks()[0].1, "0");
    }

    #[test]
    fn steps_grow_by_ones_twos_and_fives() {
        let mut step = 1e-3;
        for expected in [
            2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0,
        ] {
            step = next_step(step);
            assert!((step - expected).abs() < 1e-9 * expected, "{step}");
        }
    }

    #[test]
    fn counts_have_whole_steps() {
        for highest in 0..3000 {
            let ladder = Ladder::of_count(highest);
            assert_eq!(ladder.step.fract(), 0.0, "{highest}");
            let top = ladder.top();
            assert!(
                top >= f64::from(highest) && top <= f64::from(2 * highest.max(2)),
                "{highest}"
            );
        }
    }
}
