//! A folder with a folder of images for each class.

use std::fs;
use std::io::{BufRead, BufReader, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageDecoder as _, ImageError, ImageReader, Luma};

use super::error::{Fault, ReadError, counted, quoted};
use super::images::{SIDE, SQUARE, letterbox};
use super::input::{MAX_HELD, Meter, Metered, name_of, open_at_most};
use super::labels::{Labels, natural_order};
use super::table::{Table, Values};

/// The most pixels of an image that is decoded.
const MAX_PIXELS: u64 = 50_000_000;

/// The most bytes that an image may take while it is decoded.
const MAX_DECODED: u64 = 8 * MAX_PIXELS;

/// The largest file of an image.
const MAX_IMAGE_FILE: u64 = 256 << 20;

/// The most files of all classes.
const MAX_FILES: usize = MAX_HELD as usize / (SIDE * SIDE);

/// The files of a folder, by class.
pub(super) struct Listing {
    classes: Vec<(String, Vec<PathBuf>)>,
    n_bytes: u64,
    n_files: usize,
    /// Hidden files, files beside the class folders, folders inside them.
    n_skipped: usize,
}

impl Listing {
    /// Bytes of all files.
    pub(super) fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// Lists the class folders in `root` in natural order, and the files in each.
    pub(super) fn of(root: &Path) -> Result<Self, ReadError> {
        let mut listing = Self {
            classes: Vec::new(),
            n_bytes: 0,
            n_files: 0,
            n_skipped: 0,
        };
        for path in listing.entries(root, root)? {
            if !path.is_dir() {
                listing.n_skipped += 1;
                continue;
            }
            let files = listing.files(root, &path)?;
            listing.classes.push((file_name(&path), files));
        }
        if listing.classes.is_empty() {
            let found = match listing.n_skipped {
                0 => "nothing in it".to_owned(),
                n => format!("{} and no folder in it", counted(n, "file")),
            };
            return Err(Fault::NoClassFolders { found }.whole(&name_of(root)));
        }
        Ok(listing)
    }

    fn files(&mut self, root: &Path, class: &Path) -> Result<Vec<PathBuf>, ReadError> {
        let mut files = Vec::new();
        for path in self.entries(root, class)? {
            match fs::metadata(&path) {
                Ok(metadata) if metadata.is_file() => {
                    self.n_bytes = self.n_bytes.saturating_add(metadata.len());
                    files.push(path);
                }
                _ => self.n_skipped += 1,
            }
        }
        Ok(files)
    }

    /// What is in a folder and not hidden, in natural order.
    fn entries(&mut self, root: &Path, folder: &Path) -> Result<Vec<PathBuf>, ReadError> {
        let fault = |error: std::io::Error| Fault::io(&error).whole(&name_of(folder));
        let mut entries = Vec::new();
        for entry in fs::read_dir(folder).map_err(fault)? {
            let entry = entry.map_err(fault)?;
            self.n_files += 1;
            if self.n_files > MAX_FILES {
                let (what, max) = ("files", MAX_FILES);
                return Err(Fault::TooMany { what, max }.whole(&name_of(root)));
            }
            if entry.file_name().to_string_lossy().starts_with('.') {
                self.n_skipped += 1;
            } else {
                entries.push(entry.path());
            }
        }
        entries.sort_by(|a, b| natural_order(&file_name(a), &file_name(b)));
        Ok(entries)
    }
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Reads all images.
pub(super) fn read(
    root: &Path,
    listing: &Listing,
    meter: &mut Meter<'_>,
) -> Result<Table, ReadError> {
    let mut pixels = Vec::new();
    let mut labels = Labels::default();
    let mut n_skipped = listing.n_skipped;
    for (class, files) in &listing.classes {
        for path in files {
            let fault = |fault: Fault| fault.whole(&name_of(path));
            let (file, _) = open_at_most(path, MAX_IMAGE_FILE)?;
            let reader = BufReader::new(Metered::new(file, meter));
            match decode(reader).map_err(fault)? {
                Some(image) => {
                    pixels.extend(letterbox(&image));
                    labels.push(class).map_err(fault)?;
                }
                None if is_called_image(path) => {
                    let text = "is no image in any format that is read".to_owned();
                    return Err(fault(Fault::Picture(text)));
                }
                None => n_skipped += 1,
            }
        }
    }
    if labels.len() == 0 {
        let expected = "images in its class folders";
        return Err(Fault::Empty { expected }.whole(&name_of(root)));
    }
    let labeled = labels.finish();
    let mut notes = vec![format!(
        "images are made gray and fitted into {SIDE}×{SIDE} at their own aspect; black stays black"
    )];
    let n_empty = listing.classes.len().saturating_sub(labeled.names.len());
    if n_empty > 0 {
        notes.push(format!("without an image: {}", counted(n_empty, "folder")));
    }
    if n_skipped > 0 {
        let skipped = counted(n_skipped, "hidden file or other entry");
        notes.push(format!(
            "left out: {}",
            skipped.replace("entrys", "entries")
        ));
    }
    Ok(Table {
        input: SQUARE,
        columns: Vec::new(),
        values: Values::Pixels(Arc::new(pixels)),
        labeled,
        notes,
    })
}

fn is_called_image(path: &Path) -> bool {
    const ENDINGS: [&str; 7] = ["png", "jpg", "jpeg", "bmp", "gif", "webp", "pgm"];
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.to_lowercase().as_str()))
}

/// The (first) image of a file in gray, upright; `None` if its first bytes are those of no format
/// that is read.
pub(super) fn decode(reader: impl BufRead + Seek) -> Result<Option<GrayImage>, Fault> {
    let reader = ImageReader::new(reader).with_guessed_format();
    let mut reader = reader.map_err(|error| Fault::io(&error))?;
    if !reader
        .format()
        .is_some_and(|format| format.reading_enabled())
    {
        return Ok(None);
    }
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(MAX_DECODED);
    reader.limits(limits);
    let mut decoder = reader
        .into_decoder()
        .map_err(|error| picture_fault(&error))?;
    let (width, height) = decoder.dimensions();
    let n_pixels = u64::from(width) * u64::from(height);
    if n_pixels > MAX_PIXELS || decoder.total_bytes() > MAX_DECODED {
        return Err(Fault::Picture(format!(
            "the image has {width}×{height} pixels, and at most {} million are decoded",
            MAX_PIXELS / 1_000_000
        )));
    }
    if n_pixels == 0 {
        return Err(Fault::Picture("the image has no pixels".to_owned()));
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder).map_err(|error| picture_fault(&error))?;
    let mut gray = DynamicImage::ImageLuma8(gray(image));
    gray.apply_orientation(orientation);
    Ok(Some(gray.into_luma8()))
}

fn picture_fault(error: &ImageError) -> Fault {
    if let ImageError::IoError(error) = error
        && Fault::io(error) == Fault::Cancelled
    {
        return Fault::Cancelled;
    }
    Fault::Picture(format!(
        "cannot be decoded: {}",
        quoted_words(&error.to_string())
    ))
}

/// A library's words on one line, without its quotation of the file.
fn quoted_words(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = line.chars().take(120).collect();
    if short.is_empty() {
        quoted(text)
    } else {
        short
    }
}

/// Where it is transparent, dark ink stands on white and light ink on black.
fn gray(image: DynamicImage) -> GrayImage {
    if !image.color().has_alpha() {
        return image.into_luma8();
    }
    let image = image.into_luma_alpha8();
    let (mut sum, mut weight) = (0_u64, 0_u64);
    for pixel in image.pixels() {
        let [value, alpha] = pixel.0.map(u64::from);
        sum += value * alpha;
        weight += alpha;
    }
    let ground: u32 = if sum < 128 * weight { 255 } else { 0 };
    let mut gray = GrayImage::new(image.width(), image.height());
    for (to, from) in gray.pixels_mut().zip(image.pixels()) {
        let [value, alpha] = from.0.map(u32::from);
        *to = Luma([((value * alpha + ground * (255 - alpha) + 127) / 255) as u8]);
    }
    gray
}
