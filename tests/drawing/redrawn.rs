//! Test digits drawn once more at other sizes and places, and read again.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::*;

/// Pixels along a side of the canvas that is drawn on.
const SIDE: usize = 280;

/// An image of 28×28 pixels on a canvas, so many times as large and with its corner at `place`:
/// linear between the centers of its pixels, the mean of 16 places in each pixel of the canvas.
fn redrawn(image: &[u8], factor: f32, place: [f32; 2]) -> Canvas {
    const OFF: [f32; 4] = [0.125, 0.375, 0.625, 0.875];
    let mut coverage = vec![0.0; SIDE * SIDE];
    let span = |axis: usize| {
        let end = (place[axis] + 28.0 * factor).ceil() as usize;
        place[axis] as usize..end.min(SIDE)
    };
    for y in span(1) {
        for x in span(0) {
            let places = OFF
                .iter()
                .flat_map(|dy| OFF.map(|dx| [x as f32 + dx, y as f32 + dy]));
            let inks =
                places.map(|at| ink(image, [0, 1].map(|axis| (at[axis] - place[axis]) / factor)));
            coverage[y * SIDE + x] = inks.sum::<f32>() / 16.0;
        }
    }
    Canvas::of(SIDE, coverage)
}

/// The ink of an image between the centers of its pixels, 0 to 1.
fn ink(image: &[u8], at: [f32; 2]) -> f32 {
    let corner = at.map(|x| (x - 0.5).floor());
    let [u, v] = [0, 1].map(|axis| at[axis] - 0.5 - corner[axis]);
    let pixel = |dx: i32, dy: i32| {
        let [x, y] = [corner[0] as i32 + dx, corner[1] as i32 + dy];
        let is_on = (0..28).contains(&x) && (0..28).contains(&y);
        if is_on {
            f32::from(image[(28 * y + x) as usize]) / 255.0
        } else {
            0.0
        }
    };
    let row = |dy: i32| (1.0 - u) * pixel(0, dy) + u * pixel(1, dy);
    (1.0 - v) * row(0) + v * row(1)
}

/// At least 95 of 100 keep their verdict. Measured: 97.4% here, 97.3% with the default network in 2-D
/// after an epoch (batch 128, 469 steps). Those that are lost lie at a boundary: a network that has
/// learned less (mlp:64 in 2-D, 86% right) keeps 91.7%. The smallest have 10 pixels for 20.
#[test]
fn digits_drawn_again_elsewhere_and_in_other_sizes_keep_their_verdict() {
    const SEED: u64 = 7;
    const N: usize = 1000;
    let settings = [
        ("loss.id", "arcface"),
        ("network.kind", "mlp:128"),
        ("dim", "3"),
    ];
    let mut run = trainer(&settings, Horizon::Steps(1500), 2);
    steps(&mut run, 1500);
    let test = run.data().test.clone().expect("MNIST has a test set");
    let head = run.head_state();
    let before = predictions(&head, &run.features(&test)[..N * head.dim]);
    let right = before.iter().zip(test.labels()).filter(|(a, b)| a == b);
    let n_right = right.count();
    assert!(
        n_right > 900,
        "{n_right} of {N}: the network has learned too little to tell"
    );

    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut kept = |i: usize| {
        let image = test.image(i).expect("a digit");
        let factor = rng.random_range(0.5..2.5);
        let place = [0, 1].map(|_| rng.random_range(0.0..SIDE as f32 - 28.0 * factor));
        let digit = redrawn(&image, factor, place).digit().expect("ink");
        let feature = run.embed_image(&digit).expect("a network for images");
        predictions(&head, &feature)[0] == before[i]
    };
    let n_kept = (0..N).filter(|&i| kept(i)).count();
    assert!(
        n_kept >= 950,
        "{n_kept} of {N} keep their verdict (seed {SEED})"
    );
}

#[test]
fn a_test_digit_as_it_stands_has_the_feature_that_it_has_in_the_set() {
    let mut run = trainer(DIGITS, Horizon::Steps(20), 1);
    steps(&mut run, 20);
    let test = run.data().test.clone().expect("MNIST has a test set");
    let features = run.features(&test);
    for (i, known) in features.chunks_exact(2).enumerate().take(20) {
        let image = test.image(i).expect("a digit");
        let feature = run.embed_image(&image).expect("a network for images");
        // The product of a batch adds in another order than that of one sample.
        let largest = known.iter().fold(1.0_f32, |most, x| most.max(x.abs()));
        for (a, b) in feature.iter().zip(known) {
            assert!(
                (a - b).abs() < 1e-4 * largest,
                "{i}: {feature:?} and {known:?}"
            );
        }
    }
}

#[test]
fn what_reads_no_such_images_has_no_place_for_them() {
    let free = [("network.kind", "none"), ("samples", "5")];
    for settings in [BLOBS, &free] {
        let run = trainer(settings, Horizon::Endless, 1);
        assert_eq!(run.embed_image(&seven()), None, "{settings:?}");
    }
    let run = trainer(DIGITS, Horizon::Endless, 1);
    assert_eq!(
        run.embed_image(&[128; 100]),
        None,
        "an image of another size"
    );
}
