//! The one way into the widest vector registers that the machine has.

use pulp::WithSimd;
#[cfg(test)]
use std::cell::Cell;

/// Runs `op` with the widest registers.
pub(crate) fn dispatch<Op: WithSimd>(op: Op) -> Op::Output {
    #[cfg(test)]
    match LEVEL.get() {
        Level::Widest => {}
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => {
            let simd = pulp::x86::V3::try_new().expect("chosen where it is there");
            return pulp::Simd::vectorize(simd, op);
        }
        Level::FourLanes => return pulp::Simd::vectorize(pulp::Scalar128b, op),
        Level::Scalar => return pulp::Simd::vectorize(pulp::Scalar, op),
    }
    pulp::Arch::new().dispatch(op)
}

/// Registers that tests choose among.
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
enum Level {
    Widest,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// As NEON has them.
    FourLanes,
    Scalar,
}

#[cfg(test)]
thread_local! {
    static LEVEL: Cell<Level> = const { Cell::new(Level::Widest) };
}

/// Runs a test with the registers of this machine and with those of lesser ones.
#[cfg(test)]
pub(crate) fn at_each_level(test: impl Fn()) {
    let mut levels = vec![Level::Widest, Level::FourLanes, Level::Scalar];
    #[cfg(target_arch = "x86_64")]
    if pulp::x86::V3::try_new().is_some() {
        levels.push(Level::Avx2);
    }
    for level in levels {
        LEVEL.set(level);
        test();
    }
    LEVEL.set(Level::Widest);
}
