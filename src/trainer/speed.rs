//! How fast steps are made: slowly enough to be followed, or as fast as the machine can.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// Steps that are wanted in a second. It decides when a step is made, never what it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Speed {
    /// So many at most, one at least, evenly over the pictures.
    PerSecond(u32),
    /// All that the machine gives.
    #[default]
    Full,
}

impl Speed {
    /// What the window offers, from slow to fast. Thirty a second is one step a picture.
    pub const ALL: [Self; 6] = [
        Self::PerSecond(1),
        Self::PerSecond(4),
        Self::PerSecond(10),
        Self::PerSecond(PICTURES_PER_SECOND),
        Self::PerSecond(10 * PICTURES_PER_SECOND),
        Self::Full,
    ];

    /// One of [`Speed::ALL`]: the next slower one; the slowest stays.
    #[must_use]
    pub fn slower(self) -> Self {
        let mut slower = Self::ALL.into_iter().rev();
        let next = slower.find(|speed| speed.rate() < self.rate());
        next.unwrap_or(Self::ALL[0])
    }

    /// One of [`Speed::ALL`]: the next faster one; the fastest stays.
    #[must_use]
    pub fn faster(self) -> Self {
        let mut faster = Self::ALL.into_iter();
        let next = faster.find(|speed| speed.rate() > self.rate());
        next.unwrap_or(Self::Full)
    }

    /// The speed at which so many steps take about so many seconds.
    #[must_use]
    pub fn over(n_steps: u64, secs: u64) -> Self {
        let rate = n_steps.div_ceil(secs.max(1));
        Self::PerSecond(u32::try_from(rate).unwrap_or(u32::MAX))
    }

    fn rate(self) -> u64 {
        match self {
            Self::PerSecond(rate) => u64::from(rate),
            Self::Full => u64::MAX,
        }
    }
}

/// Most pictures in a second: they move smoothly, and leave the processor to training.
pub(super) const PICTURES_PER_SECOND: u32 = 30;

/// When the steps of the next picture are due.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beat {
    speed: Speed,
    due: Instant,
}

impl Beat {
    /// The first picture is due at once.
    pub(super) fn new(speed: Speed, now: Instant) -> Self {
        Self { speed, due: now }
    }

    /// Steps of one picture, and the time from one to the next; `None` at full speed.
    fn measure(&self) -> Option<(u64, Duration)> {
        let Speed::PerSecond(per_second) = self.speed else {
            return None;
        };
        let n_steps = (per_second / PICTURES_PER_SECOND).max(1);
        let secs = f64::from(n_steps) / f64::from(per_second.max(1));
        Some((n_steps.into(), Duration::from_secs_f64(secs)))
    }

    /// Steps to make now. Those of a picture are due once; what a slow machine misses is not made
    /// up for, so that nothing moves in bursts.
    pub(super) fn take(&mut self, now: Instant) -> u64 {
        match self.measure() {
            None => u64::MAX,
            Some(_) if now < self.due => 0,
            Some((n_steps, interval)) => {
                self.due = (self.due + interval).max(now);
                n_steps
            }
        }
    }

    /// Time until steps are due; `None` if they are.
    pub(super) fn wait(&self, now: Instant) -> Option<Duration> {
        self.measure()?;
        self.due
            .checked_duration_since(now)
            .filter(|wait| !wait.is_zero())
    }

    /// Until when there is time to bring all samples up to the last step: a fifth of the time
    /// from one picture to the next is left for publishing and drawing. `None` at full speed.
    pub(super) fn free_until(&self) -> Option<Instant> {
        let (_, interval) = self.measure()?;
        self.due.checked_sub(interval / 5)
    }

    /// The rate of a machine that can make so many steps a second.
    pub(super) fn steps_per_second(&self, possible: f64) -> f64 {
        match self.speed {
            Speed::PerSecond(wanted) => possible.min(f64::from(wanted.max(1))),
            Speed::Full => possible,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps that a machine makes in ten seconds which looks at the clock so often.
    fn n_steps(speed: Speed, look: Duration) -> u64 {
        let start = Instant::now();
        let mut beat = Beat::new(speed, start);
        let n_looks = (10.0 / look.as_secs_f64()).round() as u32;
        (0..n_looks).map(|i| beat.take(start + i * look)).sum()
    }

    #[test]
    fn steps_are_as_many_as_were_asked_for() {
        let look = Duration::from_millis(1);
        for per_second in [1, 4, 10, 30, 300] {
            let n = n_steps(Speed::PerSecond(per_second), look);
            // Each picture comes up to a look late, which moves those after it.
            let wanted = u64::from(10 * per_second);
            assert!(n <= wanted && n * 100 >= wanted * 95, "{n} of {wanted}");
        }
    }

    #[test]
    fn what_a_slow_machine_misses_is_not_made_up_for() {
        let start = Instant::now();
        let mut beat = Beat::new(Speed::PerSecond(10), start);
        assert_eq!(beat.take(start), 1);
        let late = start + Duration::from_secs(5);
        assert_eq!(beat.take(late), 1);
        assert_eq!(beat.take(late), 1, "due at once, as it is late");
        assert_eq!(beat.take(late), 0);
    }

    #[test]
    fn full_speed_never_waits() {
        let now = Instant::now();
        let mut beat = Beat::new(Speed::Full, now);
        assert_eq!(
            (beat.take(now), beat.wait(now), beat.free_until()),
            (u64::MAX, None, None)
        );
    }

    #[test]
    fn a_wait_ends_when_steps_are_due() {
        let now = Instant::now();
        let mut beat = Beat::new(Speed::PerSecond(4), now);
        assert_eq!(beat.wait(now), None);
        beat.take(now);
        assert_eq!(beat.wait(now), Some(Duration::from_millis(250)));
        assert_eq!(beat.free_until(), Some(now + Duration::from_millis(200)));
        assert_eq!(beat.wait(now + Duration::from_millis(250)), None);
    }

    #[test]
    fn speeds_lead_from_one_to_the_next_and_stay_at_the_ends() {
        for pair in Speed::ALL.windows(2) {
            assert_eq!((pair[0].faster(), pair[1].slower()), (pair[1], pair[0]));
        }
        assert_eq!(Speed::Full.faster(), Speed::Full);
        assert_eq!(Speed::PerSecond(1).slower(), Speed::PerSecond(1));
    }
}
