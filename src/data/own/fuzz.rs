//! Every reader of own data on arbitrary bytes and on damaged good files: one line of message, and
//! what is read is finite and consistent. See [`crate::fuzz`] for the long runs.

use std::io::{Cursor, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::write::SimpleFileOptions;

use super::csv::{self, Wanted};
use super::error::{Fault, ReadError};
use super::features::loose_npz;
use super::given::GivenFeatures;
use super::labels::Labeled;
use super::npy::{Array, Samples};
use super::table::{Table, Values};
use super::{folder, idx, npz_table, text};
use crate::data::InputShape;
use crate::fuzz::{check_message, fuzz};

// ---------------------------------------------------------------- what must hold

fn check_fault<T>(result: Result<T, Fault>) -> Option<T> {
    result
        .map_err(|fault| check_message(&fault.to_string()))
        .ok()
}

fn check_error<T>(result: Result<T, ReadError>) -> Option<T> {
    result
        .map_err(|error| check_message(&error.to_string()))
        .ok()
}

fn check_located<T>(result: Result<T, (super::Place, Fault)>) -> Option<T> {
    check_error(result.map_err(|(place, fault)| fault.at("file", place)))
}

fn check_labels(labeled: &Labeled, n: Option<usize>) {
    let n_names = labeled.names.len();
    assert!(n_names <= super::MAX_CLASSES);
    assert!(labeled.labels.iter().all(|&l| usize::from(l) < n_names));
    assert!(labeled.names.iter().all(|name| !name.trim().is_empty()));
    assert!(n.is_none_or(|n| n == labeled.labels.len()));
}

fn check_values(values: &Values, input: InputShape) -> usize {
    let dim = input.dim();
    let n = match values {
        Values::Numbers(numbers) => {
            assert!(numbers.iter().all(|x| x.is_finite()));
            numbers.len()
        }
        Values::Pixels(pixels) => pixels.len(),
    };
    assert!(dim > 0 && n % dim == 0);
    n / dim
}

fn check_samples(samples: &Samples) {
    check_values(&samples.values, samples.input);
}

fn check_table(table: &Table) {
    let n = check_values(&table.values, table.input);
    check_labels(&table.labeled, Some(n));
}

// ---------------------------------------------------------------- targets

fn csv_target(bytes: &[u8], way: u8) -> bool {
    let wanted = match way % 4 {
        0 => Wanted::Guess,
        1 => Wanted::Maybe,
        2 => Wanted::Column("2"),
        _ => Wanted::Column("species"),
    };
    // What is announced is only a hint for memory.
    let n_bytes = if way > 127 {
        u64::MAX
    } else {
        bytes.len() as u64
    };
    let table = check_error(csv::read(bytes, n_bytes, "file", wanted));
    table.is_some_and(|table| {
        let input = InputShape::Vector { dim: table.dim };
        let n = check_values(&Values::Numbers(table.values), input);
        if let Some(labeled) = &table.labeled {
            check_labels(labeled, Some(n));
        }
        true
    })
}

fn labels_target(bytes: &[u8], way: u8) -> bool {
    let labeled = check_error(text::read_labels(bytes, "file", way.into()));
    labeled.inspect(|l| check_labels(l, None)).is_some()
}

fn npy_target(bytes: &[u8], way: u8) -> bool {
    // An archive may announce another size than it has.
    let n_bytes = bytes.len() as u64 + u64::from(way > 223);
    let open = || check_fault(Array::open(bytes, n_bytes));
    let samples = open().and_then(|array| check_located(array.samples()));
    let labels = open().and_then(|array| check_located(array.labels()));
    let matrix = open().and_then(|array| check_located(array.matrix()));
    let is_read = samples.is_some() || labels.is_some() || matrix.is_some();
    samples.inspect(check_samples);
    labels.inspect(|labeled| check_labels(labeled, None));
    matrix.inspect(|(n, dim, values)| assert_eq!(values.len(), n * dim));
    is_read
}

fn npz_target(bytes: &[u8], way: u8) -> bool {
    if way.is_multiple_of(2) {
        let table = check_error(npz_table(Cursor::new(bytes), "file"));
        table.inspect(check_table).is_some()
    } else {
        let loose = check_error(loose_npz(Cursor::new(bytes), "file"));
        let features = loose
            .filter(|loose| check_fault(loose.check_bias()).is_some())
            .and_then(|loose| check_fault(loose.together()));
        let given =
            features.and_then(|features| check_fault(GivenFeatures::new(features, &mut || true)));
        given.inspect(check_given).is_some()
    }
}

/// Every way to look at features gives finite numbers, one vector for each label and class.
fn check_given(given: &GivenFeatures) {
    let all: Vec<usize> = (0..given.class_names().len()).collect();
    for dim in [2, 3, given.dim()]
        .into_iter()
        .filter(|&dim| dim <= given.dim())
    {
        let (split, known) = given.seen(dim, &all, usize::MAX);
        assert_eq!(split.len(), given.n_samples());
        let weights = known.weights.as_deref().unwrap_or_default();
        assert!(weights.is_empty() || weights.len() == dim * all.len());
        assert!(weights.iter().all(|w| w.is_finite()));
        for i in 0..split.len() {
            let x = split.vector(i).unwrap_or_default();
            assert!(x.iter().all(|x| x.is_finite()));
        }
    }
}

fn idx_target(bytes: &[u8], way: u8) -> bool {
    let is_gz = bytes.starts_with(&[0x1f, 0x8b]);
    if way.is_multiple_of(2) {
        let samples = check_fault(idx::images(bytes, is_gz));
        samples.inspect(check_samples).is_some()
    } else {
        let labeled = check_fault(idx::labels(bytes, is_gz));
        labeled.inspect(|l| check_labels(l, None)).is_some()
    }
}

fn image_target(bytes: &[u8], _: u8) -> bool {
    let image = check_fault(folder::decode(Cursor::new(bytes))).flatten();
    image.is_some_and(|image| super::images::letterbox(&image).len() == 784)
}

// ---------------------------------------------------------------- good files

fn csv_seeds() -> Vec<Vec<u8>> {
    let texts = [
        "a,b,species\n1,2,x\n3,4,y\n5,6,x\n",
        "5,1;3,5;setosa\n4,9;3,0;virginica\n",
        "\u{feff}x\ty\tlabel\n1e3\t-2\t猫\n.5\t+6\t\"two\nlines\"\n",
        ",x,y,target\n0,1,2,0\n1,3,4,1\n2,5,6,1\n",
        "1.0\n0.0\n2.0\n",
        "label\n\"a, b\"\nb\n",
    ];
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}

/// An NPY file; `len` elements of bytes that look like small numbers.
pub(super) fn npy(descr: &str, is_fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let order = if is_fortran { "True" } else { "False" };
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\0".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn npy_seeds() -> Vec<Vec<u8>> {
    let floats: Vec<u8> = (0..6).flat_map(|i| (i as f32).to_le_bytes()).collect();
    let doubles: Vec<u8> = (0..6).flat_map(|i| f64::from(i).to_be_bytes()).collect();
    let wholes: Vec<u8> = (0..3_i64).flat_map(i64::to_le_bytes).collect();
    let letters: Vec<u8> = "ab猫"
        .chars()
        .flat_map(|c| (c as u32).to_le_bytes())
        .collect();
    vec![
        npy("<f4", false, "(3, 2)", &floats),
        npy(">f8", true, "(2, 3)", &doubles),
        npy("<f2", false, "(6, 2)", &floats),
        npy("|u1", false, "(2, 3, 4)", &floats),
        npy("|u1", true, "(1, 4, 6)", &floats),
        npy("|u1", false, "(1, 65, 2)", &[9; 130]),
        npy("<i8", false, "(3,)", &wholes),
        npy("<U1", false, "(3,)", &letters),
        npy("|S3", false, "(3,)", b"abcd\0\0\xc3\xa9z"),
        npy("|b1", false, "(24, 1)", &floats),
    ]
}

/// An archive of arrays, compressed or not.
pub(super) fn npz(arrays: &[(&str, Vec<u8>)], is_compressed: bool) -> Vec<u8> {
    let method = if is_compressed {
        zip::CompressionMethod::Deflated
    } else {
        zip::CompressionMethod::Stored
    };
    let options = SimpleFileOptions::default().compression_method(method);
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn npz_seeds() -> Vec<Vec<u8>> {
    let all = npy_seeds();
    let (x, y) = (all[0].clone(), all[6].clone());
    let images = npy("|u1", false, "(3, 2, 4)", &[7; 24]);
    let weights = npy("<f4", false, "(3, 2)", &[0; 24]);
    [true, false]
        .into_iter()
        .flat_map(|is_compressed| {
            [
                npz(&[("x.npy", x.clone()), ("y.npy", y.clone())], is_compressed),
                npz(
                    &[
                        ("images.npy", images.clone()),
                        ("labels.npy", all[7].clone()),
                    ],
                    is_compressed,
                ),
                npz(
                    &[
                        ("../features.npy", x.clone()),
                        ("features.npy", x.clone()),
                        ("targets.npy", y.clone()),
                        ("w.npy", weights.clone()),
                    ],
                    is_compressed,
                ),
            ]
        })
        .collect()
}

fn idx_seeds() -> Vec<Vec<u8>> {
    let mut images = vec![0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3];
    images.extend(0..12);
    let labels = vec![0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1];
    let gz = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    vec![gz(&images), gz(&labels), images, labels]
}

fn image_seeds() -> Vec<Vec<u8>> {
    use image::ImageFormat;
    let picture = image::RgbaImage::from_fn(9, 5, |x, y| {
        image::Rgba([(20 * x) as u8, (40 * y) as u8, 90, (250 - 10 * x) as u8])
    });
    let picture = image::DynamicImage::ImageRgba8(picture);
    let formats = [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::Bmp,
        ImageFormat::Gif,
        ImageFormat::WebP,
        ImageFormat::Pnm,
    ];
    let encoded = |format| {
        let mut bytes = Cursor::new(Vec::new());
        let picture = match format {
            ImageFormat::Jpeg | ImageFormat::Pnm => picture.to_rgb8().into(),
            _ => picture.clone(),
        };
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    let mut seeds: Vec<_> = formats.map(encoded).to_vec();
    seeds.push(b"P5 3 2 255\n\x01\x02\x03\x04\x05\x06".to_vec());
    seeds
}

/// The good files are read, so that damage begins where reading would succeed.
#[test]
fn the_seeds_are_good_files() {
    assert!(csv::read(&csv_seeds()[0][..], 40, "f", Wanted::Guess).is_ok());
    for seed in npz_seeds().iter().take(2) {
        assert!(npz_table(Cursor::new(&seed[..]), "f").is_ok());
    }
    for seed in &idx_seeds() {
        let is_gz = seed[0] == 0x1f;
        assert!(idx::images(&seed[..], is_gz).is_ok() || idx::labels(&seed[..], is_gz).is_ok());
    }
    for seed in &image_seeds() {
        assert!(matches!(
            folder::decode(Cursor::new(&seed[..])),
            Ok(Some(_))
        ));
    }
    for seed in &npy_seeds() {
        let array = || Array::open(&seed[..], seed.len() as u64);
        let is_read =
            array().is_ok_and(|a| a.samples().is_ok()) || array().is_ok_and(|a| a.labels().is_ok());
        assert!(is_read, "{:?}", array().map(|a| a.header));
    }
}

fuzz!(fuzz_csv, fuzz_csv_long, csv_seeds, csv_target);
fuzz!(fuzz_labels, fuzz_labels_long, csv_seeds, labels_target);
fuzz!(fuzz_npy, fuzz_npy_long, npy_seeds, npy_target);
fuzz!(fuzz_npz, fuzz_npz_long, npz_seeds, npz_target);
fuzz!(fuzz_idx, fuzz_idx_long, idx_seeds, idx_target);
fuzz!(fuzz_image, fuzz_image_long, image_seeds, image_target);
