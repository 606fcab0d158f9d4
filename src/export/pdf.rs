//! A scene as a PDF page, through its SVG: text stays text, fonts are embedded as subsets, and the
//! same scene gives the same bytes.

use krilla::SerializeSettings;
use krilla::embed::{AssociationKind, EmbeddedFile};
use krilla::geom::Size;
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla_svg::{SurfaceExt as _, SvgSettings};

use crate::export::{ExportError, Sheet, svg, typeface};

/// Longest side of a page, in points: what readers of PDF 1.7 take.
const MAX_SIDE: f32 = 14_400.0;

/// The sheet as a page of its size. Its recipe is attached as a file of its own.
///
/// # Errors
/// If the page would have no area, or be too large.
pub fn pdf(sheet: &Sheet<'_>) -> Result<Vec<u8>, ExportError> {
    let [width, height] = sheet.size_pt().map(|side| side as f32);
    let too_large = || ExportError::Page { width, height };
    let is_possible = |side: f32| side > 0.0 && side <= MAX_SIDE;
    if !(is_possible(width) && is_possible(height)) {
        return Err(too_large());
    }
    let size = Size::from_wh(width, height).ok_or_else(too_large)?;
    let settings = PageSettings::from_wh(width, height).ok_or_else(too_large)?;
    let tree = typeface::tree(&svg::svg(&Sheet {
        recipe: None,
        ..*sheet
    }))?;
    let mut document = krilla::Document::new_with(SerializeSettings::default());
    let metadata = Metadata::new().producer("marginscope".to_owned());
    document.set_metadata(match sheet.title {
        Some(title) => metadata.title(title.to_owned()),
        None => metadata,
    });
    if let Some(recipe) = sheet.recipe {
        document.embed_file(attachment(recipe));
    }
    let mut page = document.start_page_with(settings);
    let mut surface = page.surface();
    let drawn = surface.draw_svg(&tree, size, SvgSettings::default());
    surface.finish();
    page.finish();
    drawn.ok_or_else(too_large)?;
    document.finish().map_err(|error| ExportError::Pdf {
        message: format!("{error:?}"),
    })
}

/// The lines that stand around the recipe, so that it is found without reading the whole format.
const BEGIN: &str = "# marginscope recipe begins\n";
const END: &str = "# marginscope recipe ends\n";

fn attachment(recipe: &str) -> EmbeddedFile {
    EmbeddedFile {
        path: "recipe.toml".to_owned(),
        mime_type: None,
        description: Some("What marginscope makes this picture from".to_owned()),
        association_kind: AssociationKind::Source,
        data: format!("{BEGIN}{recipe}{END}").into_bytes().into(),
        modification_date: None,
        compress: Some(false),
        location: None,
    }
}

/// The recipe in a PDF file, if there is one.
pub(super) fn recipe(bytes: &[u8]) -> Option<String> {
    let find = |from: usize, words: &str| {
        let mut windows = bytes.get(from..)?.windows(words.len());
        windows
            .position(|w| w == words.as_bytes())
            .map(|at| from + at)
    };
    let start = find(0, BEGIN)? + BEGIN.len();
    let end = find(start, END)?;
    String::from_utf8(bytes[start..end].to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{Anchor, Font, Group, Item, Rgba, Scene};

    fn scene(size: [f32; 2]) -> Scene {
        let words = |font, pos| Item::Text {
            pos,
            text: "margin θ".to_owned(),
            size: 10.0,
            font,
            color: Rgba::opaque(0x000000),
            anchor: Anchor::Start,
        };
        Scene {
            size,
            ground: Rgba::opaque(0xffffff),
            groups: vec![Group::new(
                "labels",
                Font::ALL
                    .into_iter()
                    .enumerate()
                    .map(|(i, font)| words(font, [5.0, 10.0 + 12.0 * i as f32]))
                    .collect(),
            )],
        }
    }

    #[test]
    fn the_same_scene_gives_the_same_bytes_with_its_fonts() {
        let scene = scene([100.0, 70.0]);
        let once = pdf(&Sheet::of(&scene)).expect("a page");
        assert_eq!(once, pdf(&Sheet::of(&scene)).expect("a page"));
        assert_eq!(recipe(&once), None);
        let holds = |words: &str| once.windows(words.len()).any(|w| w == words.as_bytes());
        assert!(once.starts_with(b"%PDF-1."));
        assert!(holds("/Subtype/Type0") || holds("/Subtype /Type0"));
        assert!(!holds("/Type3") && !holds("CreationDate"));
        assert!(once.len() < 100_000, "subsets, not {} bytes", once.len());
    }

    #[test]
    fn a_page_needs_a_size_that_readers_take() {
        for size in [[0.0, 10.0], [10.0, f32::NAN], [20_000.0, 10.0]] {
            let scene = scene(size);
            let page = pdf(&Sheet::of(&scene));
            assert!(matches!(page, Err(ExportError::Page { .. })));
        }
    }

    #[test]
    fn a_recipe_is_attached_and_found_again() {
        let scene = scene([100.0, 70.0]);
        let sheet = Sheet {
            recipe: Some("[loss]\nid = \"arcface\" # θ\n"),
            title: Some("ArcFace, step 200"),
            ..Sheet::of(&scene)
        };
        let page = pdf(&sheet).expect("a page");
        assert_eq!(recipe(&page).as_deref(), sheet.recipe);
        let title = b"(ArcFace, step 200)";
        assert!(page.windows(title.len()).any(|w| w == title));
        assert_eq!(recipe(&page[..page.len() / 2]), None);
    }
}
