//! Toy figures of the papers, as recipes inside the program: `gallery:NAME` in the place of a file.
//!
//! Each is a file of `assets/gallery`: an experiment, a section `[picture]`, and a section
//! `[gallery]` that says what the paper shows, what is seen here, and where the two differ.

use std::path::Path;
use std::sync::LazyLock;

use serde::Deserialize;

/// A figure of the gallery.
#[derive(Clone, Debug)]
pub struct Exhibit {
    /// What stands behind `gallery:`.
    pub name: &'static str,
    /// Its recipe, with the section `[gallery]`.
    pub text: &'static str,
    /// A small picture of it, as PNG.
    pub thumb: &'static [u8],
    /// What it is about.
    pub about: About,
}

/// The section `[gallery]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// What it is called.
    pub title: String,
    /// One line below the title.
    pub summary: String,
    /// Authors, title, where and when it was published.
    pub paper: String,
    /// The paper in three or four words.
    pub short: String,
    /// Number in arXiv; some papers are not there.
    pub arxiv: Option<String>,
    /// Number of the figure in the paper.
    pub figure: String,
    /// What the paper shows, on what data.
    pub shows: String,
    /// What is seen here.
    pub seen: String,
    /// Where it differs from the paper, and what other seeds do.
    pub differs: String,
    /// What to look at and to try in the window.
    pub look: String,
}

/// What stands before the name of a figure.
const PREFIX: &str = "gallery:";

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$((
            $name,
            include_str!(concat!("../../assets/gallery/", $name, ".toml")),
            include_bytes!(concat!("../../assets/gallery/thumbs/", $name, ".png")).as_slice(),
        )),*]
    };
}

/// In the order of the papers, and of a lecture.
static FILES: &[(&str, &str, &[u8])] = &files![
    "softmax",
    "center-loss",
    "l-softmax",
    "sphereface",
    "sphereface-plane",
    "sphereface-sphere",
    "normface",
    "cosface",
    "arcface",
    "target-logits",
    "decision-margins",
];

static EXHIBITS: LazyLock<Vec<Exhibit>> = LazyLock::new(|| {
    let files = FILES.iter();
    // A test holds that all of them are read.
    let read = |&(name, text, thumb): &(&'static str, &'static str, &'static [u8])| {
        let about = About::from_toml(text)?;
        Some(Exhibit {
            name,
            text,
            thumb,
            about,
        })
    };
    files.filter_map(read).collect()
});

/// All figures, in the order in which they are listed.
pub fn exhibits() -> &'static [Exhibit] {
    &EXHIBITS
}

/// The figure of this name.
pub fn find(name: &str) -> Option<&'static Exhibit> {
    exhibits().iter().find(|exhibit| exhibit.name == name)
}

/// The name behind `gallery:`, where a path is one of the gallery.
pub fn name_in(path: &Path) -> Option<&str> {
    path.to_str()?.strip_prefix(PREFIX)
}

impl Exhibit {
    /// As it stands in the place of a file.
    pub fn path(&self) -> String {
        format!("{PREFIX}{}", self.name)
    }
}

impl About {
    fn from_toml(text: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct File {
            gallery: About,
        }
        let file: File = toml_edit::de::from_str(text).ok()?;
        Some(file.gallery)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::{OpenError, Recipe, open};

    #[test]
    fn every_file_of_the_folder_is_in_the_table_and_is_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/gallery");
        let entries = std::fs::read_dir(folder).expect("the folder").flatten();
        let mut found: Vec<String> = entries
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                Some(name.strip_suffix(".toml")?.to_owned())
            })
            .collect();
        let mut known: Vec<&str> = exhibits().iter().map(|exhibit| exhibit.name).collect();
        assert_eq!(known.len(), FILES.len(), "one has no section [gallery]");
        found.sort_unstable();
        known.sort_unstable();
        assert_eq!(found, known);
    }

    /// In the window a strip is its first panel: the file's own values are those.
    #[test]
    fn every_figure_can_be_made_and_begins_with_its_first_panel() {
        for exhibit in exhibits() {
            let opened = open(Path::new(&exhibit.path())).expect(exhibit.name);
            let Recipe {
                experiment,
                picture,
            } = opened.recipe;
            experiment.validate().expect(exhibit.name);
            let Some(strip) = picture.strip else {
                continue;
            };
            let panels = strip.panels(&experiment).expect(exhibit.name);
            assert_eq!(panels[0].experiment, experiment, "{}", exhibit.name);
        }
    }

    #[test]
    fn words_and_thumbs_fit_where_they_stand() {
        for exhibit in exhibits() {
            let About {
                title,
                summary,
                short,
                look,
                ..
            } = &exhibit.about;
            assert!(title.chars().count() <= 44, "{title}");
            assert!(summary.chars().count() <= 100, "{summary}");
            assert!(short.chars().count() <= 44, "{short}");
            assert!(look.chars().count() <= 260, "{look}");
            assert!(exhibit.thumb.len() <= 6 << 10, "{}", exhibit.name);
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_those_that_there_are() {
        let fault = |name: &str| match open(Path::new(name)) {
            Err(error @ OpenError::Gallery { .. }) => error.to_string(),
            other => panic!("{name}: {other:?}"),
        };
        let words = fault("gallery:arcfase");
        assert!(
            words.starts_with("there is no figure \"gallery:arcfase\"; did you mean \"gallery:arcface\"? there are softmax, "),
            "{words}"
        );
        let words = fault("gallery:");
        assert!(
            words.contains("needs the name of a figure; there are softmax, "),
            "{words}"
        );
        assert!(fault("gallery:xyz").contains("\"gallery:xyz\"; there are "));
    }
}
