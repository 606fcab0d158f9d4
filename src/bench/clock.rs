//! Time of something that is done many times, robust against what else the machine does.

use std::time::Instant;

/// Calls before measuring, so that buffers are there and caches warm.
const WARM_UP_CALLS: u32 = 20;
/// Repetitions that the time is divided into.
const REPETITIONS: f64 = 100.0;
/// Fewest repetitions, however long one takes.
const LEAST_REPETITIONS: usize = 3;

/// Time of one call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pace {
    /// Median over the repetitions.
    pub(super) median_secs: f64,
    /// Mean over them.
    pub(super) mean_secs: f64,
}

/// What is timed: `call(n)` makes n calls.
pub(super) type Call<'a, E> = &'a mut dyn FnMut(u32) -> Result<(), E>;

/// Measures one thing for `secs`, after warming up for 20 calls or as long, whichever is shorter.
/// A repetition makes as many calls as fit into a hundredth of the time.
///
/// # Errors
/// What `call` returns.
pub(super) fn measure<E>(secs: f64, call: Call<'_, E>) -> Result<Pace, E> {
    let [pace] = measure_in_turn(secs, [call])?;
    Ok(pace)
}

/// The same for several things, each for `secs`, repetition by repetition in turn: what disturbs
/// one disturbs the others, so that their ratio holds on a busy machine, too.
pub(super) fn measure_in_turn<E, const N: usize>(
    secs: f64,
    mut calls: [Call<'_, E>; N],
) -> Result<[Pace; N], E> {
    let mut n_calls = [0; N];
    for (call, n) in calls.iter_mut().zip(&mut n_calls) {
        *n = calls_per_repetition(secs, call)?;
    }
    let mut times = [const { Vec::new() }; N];
    let start = Instant::now();
    while times[0].len() < LEAST_REPETITIONS || start.elapsed().as_secs_f64() < secs * N as f64 {
        for ((call, &n), times) in calls.iter_mut().zip(&n_calls).zip(&mut times) {
            let start = Instant::now();
            call(n)?;
            times.push(start.elapsed().as_secs_f64() / f64::from(n));
        }
    }
    Ok(times.map(Pace::of))
}

/// Warms up, and says how many calls fit into a repetition.
fn calls_per_repetition<E>(secs: f64, call: &mut Call<'_, E>) -> Result<u32, E> {
    let start = Instant::now();
    let mut n_warm = 0;
    while n_warm < WARM_UP_CALLS && (n_warm == 0 || start.elapsed().as_secs_f64() < secs) {
        call(1)?;
        n_warm += 1;
    }
    let per_call = start.elapsed().as_secs_f64() / f64::from(n_warm);
    Ok((secs / REPETITIONS / per_call).max(1.0) as u32)
}

impl Pace {
    /// Of repetitions that took `times` a call.
    fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        Self {
            median_secs: times[times.len() / 2],
            mean_secs: times.iter().sum::<f64>() / times.len() as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disturbed_repetition_does_not_move_the_median() {
        let pace = Pace::of(vec![1.0, 9.0, 2.0]);
        assert_eq!((pace.median_secs, pace.mean_secs), (2.0, 4.0));
    }

    #[test]
    fn without_time_each_is_warmed_up_once_and_called_three_times() {
        let (mut n_first, mut n_second) = (0, 0);
        let paces = measure_in_turn::<(), 2>(
            0.0,
            [
                &mut |n| {
                    n_first += n;
                    Ok(())
                },
                &mut |n| {
                    n_second += n;
                    Ok(())
                },
            ],
        );
        assert!(paces.unwrap().iter().all(|pace| pace.median_secs > 0.0));
        assert_eq!([n_first, n_second], [4, 4]);
    }
}
