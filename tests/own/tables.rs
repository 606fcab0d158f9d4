//! What is written in any format is read back, number by number and name by name.

use marginscope::data::Scaling;
use proptest::prelude::*;

use super::*;

/// Samples as they are in `own`: in the file's order, with the names of their classes.
fn table_of(spec: &DataSpec) -> (Vec<f32>, Vec<String>) {
    let mut whole = spec.clone();
    whole.test = Some(marginscope::data::TestPart::Share(0.0));
    whole.scaling = Some(Scaling::None);
    let data = loaded(&whole, 1);
    assert!(data.test.is_none());
    let names = data
        .train
        .labels()
        .iter()
        .map(|&l| data.class_names[usize::from(l)].clone());
    (inputs(&data.train, data.input), names.collect())
}

/// Numbers and names of at least two classes.
fn tables() -> impl Strategy<Value = (usize, Vec<f32>, Vec<String>)> {
    let number = prop_oneof![
        any::<f32>().prop_filter("finite", |x| x.is_finite() && x.abs() < 1e6),
        (-1000_i16..1000).prop_map(|x| f32::from(x) / 8.0),
    ];
    let name = "[a-zA-Zäß猫שλ][a-z \"',;é0-9]{0,6}[a-z猫]";
    (2..5_usize, 2..20_usize).prop_flat_map(move |(dim, n)| {
        (
            Just(dim),
            prop::collection::vec(number.clone(), dim * n),
            prop::collection::vec(name, n),
        )
    })
}

fn csv_text(
    dim: usize,
    numbers: &[f32],
    names: &[String],
    separator: u8,
    has_header: bool,
) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(separator)
        .from_writer(Vec::new());
    if has_header {
        let header = (0..dim)
            .map(|i| format!("column {i}"))
            .chain(["label".to_owned()]);
        writer.write_record(header).expect("written");
    }
    for (sample, name) in numbers.chunks(dim).zip(names) {
        let fields = sample.iter().map(f32::to_string).chain([name.clone()]);
        writer.write_record(fields).expect("written");
    }
    writer.into_inner().expect("written")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_table_of_text_is_read_back(
        (dim, numbers, names) in tables(),
        separator in prop::sample::select(&b",;\t"[..]),
        has_header: bool,
    ) {
        prop_assume!(names.iter().any(|name| *name != names[0]));
        let text = csv_text(dim, &numbers, &names, separator, has_header);
        let (_folder, path) = file_with("a.csv", &text);
        let (found, found_names) = table_of(&read_spec(&path));
        prop_assert_eq!(found, numbers);
        prop_assert_eq!(found_names, names);
    }

    #[test]
    fn arrays_are_read_back(
        (dim, numbers, names) in tables(),
        is_fortran: bool,
        is_big: bool,
        is_double: bool,
    ) {
        prop_assume!(names.iter().any(|name| *name != names[0]));
        let n = names.len();
        // The first axis fastest is the matrix transposed.
        let order: Vec<f32> = if is_fortran {
            (0..dim * n).map(|k| numbers[k % n * dim + k / n]).collect()
        } else {
            numbers.clone()
        };
        let bytes: Vec<u8> = match (is_double, is_big) {
            (false, false) => floats(&order),
            (false, true) => order.iter().flat_map(|x| x.to_be_bytes()).collect(),
            (true, false) => order.iter().flat_map(|&x| f64::from(x).to_le_bytes()).collect(),
            (true, true) => order.iter().flat_map(|&x| f64::from(x).to_be_bytes()).collect(),
        };
        let descr = format!("{}f{}", if is_big { '>' } else { '<' }, if is_double { 8 } else { 4 });
        let (folder, path) = file_with("x.npy", &npy(&descr, is_fortran, &[n, dim], &bytes));
        let width = names.iter().map(|name| name.chars().count()).max().expect("names");
        let letters = names.iter().flat_map(|name| {
            name.chars().map(u32::from).chain(std::iter::repeat(0)).take(width)
        });
        let letters: Vec<u8> = letters.flat_map(u32::to_le_bytes).collect();
        let labels = npy(&format!("<U{width}"), false, &[n], &letters);
        std::fs::write(folder.path().join("y.npy"), labels).expect("written");
        let (found, found_names) = table_of(&read_spec(&path));
        prop_assert_eq!(found, numbers);
        prop_assert_eq!(found_names, names);
    }
}

#[track_caller]
fn check_table(text: &str, numbers: &[f32], names: &[&str]) {
    let (_folder, path) = file_with("a.csv", text.as_bytes());
    let (found, found_names) = table_of(&read_spec(&path));
    assert_eq!(
        (found.as_slice(), found_names),
        (numbers, names.iter().map(|&n| n.to_owned()).collect())
    );
}

#[test]
fn tables_are_read_as_people_write_them() {
    check_table("\u{feff}a,label\r\n1,x\r\n2,y", &[1.0, 2.0], &["x", "y"]);
    check_table("1, 2 , x \n\n3,4,y\n\n", &[1.0, 2.0, 3.0, 4.0], &["x", "y"]);
    check_table(
        "l\u{e4}nge;art\n5,1;\"a;b\"\n4,9;c\n",
        &[5.1, 4.9],
        &["a;b", "c"],
    );
    check_table(
        "label,a,b\nx,1,2\ny,3,4\n",
        &[1.0, 2.0, 3.0, 4.0],
        &["x", "y"],
    );
    check_table(
        "a,Species,b\n1,x,2\n3,y,4\n",
        &[1.0, 2.0, 3.0, 4.0],
        &["x", "y"],
    );
    check_table(
        "1e0,0.0\n2E1,1.0\n+3,1.00e0\n",
        &[1.0, 20.0, 3.0],
        &["0", "1", "1"],
    );
    check_table(
        "0,1,label\n0.5,3,7\n1.5,4,8\n",
        &[0.5, 3.0, 1.5, 4.0],
        &["7", "8"],
    );
    check_table(
        "x,y,group\n1,2,a\n3,4,b\n",
        &[1.0, 2.0, 3.0, 4.0],
        &["a", "b"],
    );
    // As `DataFrame.to_csv` writes it: the first column counts the rows.
    check_table(
        ",a,b,label\n0,1,2,x\n1,3,4,y\n",
        &[1.0, 2.0, 3.0, 4.0],
        &["x", "y"],
    );
    check_table(
        "a,label\n1,\"two\nlines\"\n2,y\n",
        &[1.0, 2.0],
        &["two\nlines", "y"],
    );
}

#[test]
fn the_label_column_is_the_one_that_is_asked_for() {
    let (_folder, path) = file_with("a.csv", b"a,b,c\n1,2,x\n1,3,y\n2,4,8\n");
    let classes = |label: Option<&str>| {
        let mut spec = DataSpec::new(DataSource::File(path.clone()));
        spec.label = label.map(str::to_owned);
        let result = spec.read(&mut |_, _| true);
        result
            .map(|()| spec.own().expect("read").class_names().to_vec())
            .map_err(|e| e.to_string())
    };
    assert_eq!(
        classes(None),
        Ok(["8", "x", "y"].map(str::to_owned).to_vec())
    );
    assert_eq!(classes(Some("3")), classes(None));
    assert_eq!(classes(Some("c")), classes(None));
    let error = classes(Some("a")).expect_err("c is text");
    let expected = "a.csv:2: column 3 (c): expected a number, found \"x\" (the label is column 1 (a); data.label chooses another)";
    assert!(error.ends_with(expected), "{error}");
}

#[test]
fn images_keep_their_pixels_and_their_shape() {
    let pixels: Vec<u8> = (0..240).map(|i| (i * 7 % 256) as u8).collect();
    let (folder, path) = file_with("images.npy", &npy("|u1", false, &[4, 6, 10], &pixels));
    std::fs::write(folder.path().join("labels.txt"), "b\na\nb\na\n").expect("written");
    let mut spec = read_spec(&path);
    assert_eq!(
        spec.input_shape(),
        Some(InputShape::Image {
            height: 6,
            width: 10
        })
    );
    spec.test = Some(marginscope::data::TestPart::Share(0.0));
    let data = loaded(&spec, 1);
    assert_eq!(data.train.image(1).as_deref(), Some(&pixels[60..120]));
    assert_eq!(
        data.train.image_if_ready(3).as_deref(),
        Some(&pixels[180..])
    );
    assert_eq!((data.train.image(4), data.train.vector(0)), (None, None));
}

#[test]
fn large_images_are_fitted_and_odd_ones_taken_as_they_are() {
    for ([height, width], expected) in [
        ([200, 300], [28, 28]),
        ([65, 1], [28, 28]),
        ([64, 64], [64, 64]),
        ([1, 1], [1, 1]),
        ([3, 17], [3, 17]),
    ] {
        let pixels: Vec<u8> = (0..4 * height * width).map(|i| (i % 251) as u8).collect();
        let array = npy("|u1", false, &[4, 1, height, width], &pixels);
        let (folder, path) = file_with("images.npy", &array);
        std::fs::write(folder.path().join("labels.txt"), "b\na\nb\na\n").expect("written");
        let spec = read_spec(&path);
        let [height, width] = expected;
        assert_eq!(
            spec.input_shape(),
            Some(InputShape::Image { height, width })
        );
        // The CNN takes every size that is left.
        let mut run = marginscope::trainer::Trainer::new(&on(spec), None, 1).expect("a run");
        for _ in 0..3 {
            run.step().expect("a step");
        }
    }
}

/// One table in every format is one table: its SHA-256 says so.
#[test]
fn a_table_is_the_same_in_every_format() {
    let numbers = [0.5, 1.0, -2.0, 3.25, 4.0, 5.0, 6.0, 7.5];
    let (folder, csv) = file_with("a.csv", b"0.5,1,0\n-2,3.25,1\n4,5,0\n6,7.5,1\n");
    let path = |name: &str| folder.path().join(name);
    let x = npy("<f4", false, &[4, 2], &floats(&numbers));
    let y = npy(
        "<i8",
        false,
        &[4],
        &[0_i64, 1, 0, 1].map(i64::to_le_bytes).concat(),
    );
    std::fs::write(path("x.npy"), &x).expect("written");
    std::fs::write(path("y.npy"), &y).expect("written");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(path("a.npz")).expect("made"));
    let options = zip::write::SimpleFileOptions::default();
    for (name, bytes) in [("x.npy", &x), ("y.npy", &y)] {
        use std::io::Write as _;
        zip.start_file(name, options).expect("an entry");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("a ZIP");
    let sums: Vec<String> = [csv, path("x.npy"), path("a.npz")]
        .iter()
        .map(|path| read_spec(path).own().expect("read").sha256().to_owned())
        .collect();
    assert_eq!(sums[0].len(), 64);
    assert!(sums.iter().all(|sum| *sum == sums[0]), "{sums:?}");
    std::fs::write(path("y.npy"), npy("|u1", false, &[4], &[0, 1, 1, 1])).expect("written");
    assert_ne!(
        read_spec(&path("x.npy")).own().expect("read").sha256(),
        sums[0]
    );
}

#[test]
fn findings_say_what_was_found() {
    let (_folder, path) = file_with("a.csv", b",a;b,x,art\n0,1,2,3\n1,3,4,5\n2,5,6,3\n3,1,1,8\n");
    let spec = read_spec(&path);
    let own = spec.own().expect("read");
    insta::assert_snapshot!(own.findings().join("\n"), @"
4 samples of 2 numbers, 3 classes: 3, 5, 8
between 3 and 8 no sample has the label 4, 6, 7
fields separated by commas, a header
the label is column 4 (art), the last column
column 1 counts the rows and is left out
");
}

#[test]
fn a_folder_of_pictures_is_fitted_and_counted() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let save = |name: &str, image: image::DynamicImage| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        image.save(path).expect("encoded");
    };
    let gray = |width, height, value| {
        image::DynamicImage::from(image::GrayImage::from_pixel(
            width,
            height,
            image::Luma([value]),
        ))
    };
    save("10/a.png", gray(28, 28, 10));
    save("9/a.bmp", gray(56, 28, 200));
    save("9/b.jpg", gray(3, 300, 120));
    // Ink on nothing: the paper is white.
    let ink = image::RgbaImage::from_fn(28, 28, |x, _| {
        image::Rgba([0, 0, 0, if x < 9 { 255 } else { 0 }])
    });
    save("9/c.png", ink.into());
    save(
        "זברה/a.gif",
        image::DynamicImage::from(gray(5, 5, 77).to_rgb8()),
    );
    std::fs::write(folder.path().join("9/.DS_Store"), "x").expect("written");
    std::fs::write(folder.path().join("9/readme.md"), "x").expect("written");
    std::fs::write(folder.path().join("list.csv"), "x").expect("written");
    std::fs::create_dir(folder.path().join("empty")).expect("made");
    let mut spec = read_spec(folder.path());
    let own = spec.own().expect("read");
    assert_eq!(own.class_names(), ["9", "10", "זברה"]);
    insta::assert_snapshot!(own.findings().join("\n"), @"
5 samples of 28×28 pixels, 3 classes: 9, 10, זברה
images are made gray and fitted into 28×28 at their own aspect; black stays black
without an image: 1 folder
left out: 3 hidden file or other entries
");
    spec.test = Some(marginscope::data::TestPart::Share(0.0));
    let data = loaded(&spec, 1);
    let image = |i: usize| data.train.image(i).expect("an image");
    assert_eq!(data.train.labels(), [0, 0, 0, 1, 2]);
    assert!(
        image(0).iter().all(|&p| p == 200),
        "bars have the gray of the border"
    );
    let edge: Vec<u8> = image(2)[..28].to_vec();
    assert_eq!((edge[0], edge[27]), (0, 255));
    assert_eq!(image(3), [10; 784]);
    assert!(image(4).iter().all(|&p| p.abs_diff(77) <= 1));
}
