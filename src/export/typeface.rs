//! The fonts with which exported text is set: those of the binary, and for names in other scripts
//! those of the system.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use resvg::usvg;
use resvg::usvg::fontdb::{Database, FaceInfo, ID, Style};
use skrifa::{FontRef, MetadataProvider as _};

use crate::scene::{Font, fonts};

/// A picture that was written here as shapes and glyphs. The same bytes on any machine, unless a
/// name has letters that the fonts of the binary lack.
pub(super) fn tree(svg: &str) -> Result<usvg::Tree, usvg::Error> {
    static OWN: LazyLock<Arc<Database>> = LazyLock::new(|| Arc::new(own()));
    let database = if fonts::covers(svg) { &*OWN } else { &*ALL };
    let options = usvg::Options {
        font_family: Font::Regular.family().to_owned(),
        fontdb: Arc::clone(database),
        font_resolver: usvg::FontResolver {
            select_font: usvg::FontResolver::default_font_selector(),
            select_fallback: Box::new(|c, used, database| fallback(c, used, database)),
        },
        ..usvg::Options::default()
    };
    usvg::Tree::from_str(svg, &options)
}

/// The fonts of the binary and of the system.
static ALL: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = own();
    fonts.load_system_fonts();
    Arc::new(fonts)
});

/// The letters of some names that no font of this machine has, each once: pixels and pages have a box
/// in the place of each, and an SVG leaves them to the fonts of its reader.
pub fn missing_letters<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let letters: BTreeSet<char> = names
        .into_iter()
        .filter(|name| !fonts::covers(name))
        .flat_map(str::chars)
        .filter(|c| !c.is_ascii())
        .collect();
    let is_missing = |c: &char| !ALL.faces().any(|face| has(&ALL, face.id, *c));
    letters.into_iter().filter(is_missing).collect()
}

fn own() -> Database {
    let mut fonts = Database::new();
    for font in Font::ALL {
        fonts.load_font_data(font.bytes().to_vec());
    }
    fonts
}

/// The face for a letter that those in use lack: upright, without serifs and as bold as the first,
/// as far as there is one.
fn fallback(c: char, used: &[ID], database: &Database) -> Option<ID> {
    let weight = database.face(*used.first()?)?.weight.0;
    let unlike = |face: &FaceInfo| {
        let is_sans = face.families.iter().any(|(name, _)| name.contains("Sans"));
        let is_italic = face.style != Style::Normal;
        (is_italic, !is_sans, face.weight.0.abs_diff(weight))
    };
    let others = database.faces().filter(|face| !used.contains(&face.id));
    let faces = others.filter(|face| has(database, face.id, c));
    faces.min_by_key(|face| unlike(face)).map(|face| face.id)
}

fn has(database: &Database, face: ID, c: char) -> bool {
    let found = database.with_face_data(face, |data, index| {
        FontRef::from_index(data, index).is_ok_and(|font| font.charmap().map(c).is_some())
    });
    found == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_taken_from_the_most_like_of_the_faces_that_have_it() {
        let database = own();
        let named = |family: &str, weight| {
            let mut faces = database.faces();
            let is = |face: &&FaceInfo| face.families[0].0 == family && face.weight.0 == weight;
            faces.find(is).expect("a face of the binary").id
        };
        let (bold, regular) = (named("Inter", 600), named("Inter", 400));
        // Both faces of Inter have it; STIX in italics is less like than upright.
        assert_eq!(fallback('a', &[bold], &database), Some(regular));
        let upright = fallback('a', &[bold, regular], &database).expect("STIX has it");
        assert_eq!(
            database.face(upright).map(|face| face.style),
            Some(Style::Normal)
        );
        assert_eq!(fallback('猫', &[regular], &database), None);
    }

    /// A letter of private use, which no font of letters has.
    #[test]
    fn letters_without_a_font_are_told_once() {
        assert_eq!(missing_letters(["zero", "θ", "Grüße"]), "");
        let private = "\u{10fffd}";
        assert_eq!(missing_letters([private, "a", private]), private);
    }
}
