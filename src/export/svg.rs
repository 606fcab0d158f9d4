//! A scene as SVG: one element a group, text as text, the same bytes for the same scene.

use std::fmt::Write as _;

use base64::prelude::{BASE64_STANDARD, Engine as _};

use crate::export::{Length, Sheet, png};
use crate::scene::fonts::DIGIT_HEIGHT;
use crate::scene::{Anchor, Dot, Font, Group, Item, Rgba, Scene, Stroke};

/// Where the recipe stands in a file.
pub(super) const RECIPE_ID: &str = "marginscope-recipe";

/// The sheet as a document.
pub fn svg(sheet: &Sheet<'_>) -> String {
    let scene = sheet.scene;
    let [width, height] = scene.size.map(Number);
    let [shown_width, shown_height] = sheet.size_svg();
    let mut out = Writer::default();
    out.line(format_args!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{shown_width}" height="{shown_height}" viewBox="0 0 {width} {height}">"#
    ));
    if let Some(recipe) = sheet.recipe {
        let recipe = escaped_lines(recipe);
        out.line(format_args!(
            r#"<metadata id="{RECIPE_ID}">{recipe}</metadata>"#
        ));
    }
    if sheet.has_ground {
        let ground = Paint("fill", scene.ground);
        out.line(format_args!(
            r#"<rect width="{width}" height="{height}"{ground}/>"#
        ));
    }
    for group in &scene.groups {
        out.line(format_args!(r#"<g id="{}">"#, group.id()));
        match sheet.raster_points.then(|| image(sheet, group)).flatten() {
            Some(image) => out.line(format_args!("{image}")),
            None => group.items.iter().for_each(|item| out.item(item)),
        }
        out.line(format_args!("</g>"));
    }
    out.line(format_args!("</svg>"));
    out.text
}

/// Dots as pixels, fine enough for print; `None` for a group without dots, and for so large a picture
/// that its pixels could not be held.
fn image(sheet: &Sheet<'_>, group: &Group) -> Option<String> {
    const DOTS_PER_INCH: f64 = 600.0;
    const PIXELS_PER_PIXEL: f64 = 4.0;
    let is_dots = |item: &Item| matches!(item, Item::Dots { .. });
    if !group.items.iter().any(is_dots) {
        return None;
    }
    let alone = Scene {
        groups: vec![group.clone()],
        ..Scene::empty(sheet.scene.size, sheet.scene.ground)
    };
    let png = png::png(&Sheet {
        width: match sheet.width {
            Length::Millimeters(_) => sheet.width,
            Length::Pixels(px) => Length::Pixels(PIXELS_PER_PIXEL * px),
        },
        dots_per_inch: DOTS_PER_INCH,
        has_ground: false,
        ..Sheet::of(&alone)
    });
    let [width, height] = sheet.scene.size.map(Number);
    let data = BASE64_STANDARD.encode(png.ok()?);
    Some(format!(
        r#"<image width="{width}" height="{height}" href="data:image/png;base64,{data}"/>"#
    ))
}

#[derive(Default)]
struct Writer {
    text: String,
    n_shades: usize,
}

impl Writer {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.text, "{line}"); // a String takes everything
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Polygon { rings, fill } => {
                let fill = Paint("fill", *fill);
                let rings = rings
                    .iter()
                    .map(|ring| path(ring, true))
                    .collect::<String>();
                self.line(format_args!(
                    r#"<path d="{rings}" fill-rule="evenodd"{fill}/>"#
                ));
            }
            Item::Line {
                points,
                is_closed,
                stroke,
            } => {
                let path = path(points, *is_closed);
                let stroke = Pen(*stroke);
                self.line(format_args!(
                    r#"<path d="{path}" fill="none" stroke-linejoin="round"{stroke}/>"#
                ));
            }
            Item::Dots { dots, radius } => self.dots(dots, *radius),
            Item::Trails {
                points,
                lines,
                width,
            } => self.trails(points, lines, *width),
            Item::Disc {
                center,
                radius,
                fill,
                stroke,
            } => {
                let ([x, y], r) = (center.map(Number), Number(*radius));
                let (fill, stroke) = (Paint("fill", *fill), Pen(*stroke));
                self.line(format_args!(
                    r#"<circle cx="{x}" cy="{y}" r="{r}"{fill}{stroke}/>"#
                ));
            }
            Item::Shade {
                center,
                radius,
                focus,
                stops,
            } => self.shade(*center, *radius, *focus, stops),
            Item::Text {
                pos,
                text,
                size,
                font,
                color,
                anchor,
            } => self.text(*pos, text, *size, *font, *color, *anchor),
        }
    }

    /// A path for each run of one color: points without length, with round caps.
    fn dots(&mut self, dots: &[Dot], radius: f32) {
        for run in dots.chunk_by(|a, b| a.color == b.color) {
            let mut path = String::with_capacity(run.len() * 14);
            for dot in run {
                let [x, y] = dot.center.map(Number);
                let _ = write!(path, "M{x} {y}h0");
            }
            let stroke = Paint("stroke", run[0].color);
            let width = Number(2.0 * radius);
            self.line(format_args!(
                r#"<path d="{path}" fill="none" stroke-width="{width}" stroke-linecap="round"{stroke}/>"#
            ));
        }
    }

    /// A path for each color and step of the fading, in place of a gradient for each line.
    fn trails(&mut self, points: &[[f32; 2]], lines: &[(u32, Rgba)], width: f32) {
        const STEPS: usize = 8;
        let mut paths: Vec<(Rgba, String)> = Vec::new();
        let mut start = 0;
        for &(end, color) in lines {
            let line = &points[start..end as usize];
            start = end as usize;
            for (i, ends) in line.windows(2).enumerate() {
                let share = (i + 1) as f32 / (line.len() - 1) as f32;
                let step = (share * STEPS as f32).ceil() / STEPS as f32;
                let faded = color.with_opacity(step * f32::from(color.0[3]) / 255.0);
                let known = paths.iter().position(|(color, _)| *color == faded);
                let at = known.unwrap_or_else(|| {
                    paths.push((faded, String::new()));
                    paths.len() - 1
                });
                paths[at].1.push_str(&path(ends, false));
            }
        }
        let width = Number(width);
        for (color, path) in paths {
            let stroke = Paint("stroke", color);
            self.line(format_args!(
                r#"<path d="{path}" fill="none" stroke-width="{width}"{stroke}/>"#
            ));
        }
    }

    fn shade(&mut self, center: [f32; 2], radius: f32, focus: [f32; 2], stops: &[(f32, Rgba)]) {
        self.n_shades += 1;
        let id = self.n_shades;
        let ([x, y], r, [fx, fy]) = (center.map(Number), Number(radius), focus.map(Number));
        self.line(format_args!(
            r#"<radialGradient id="shade-{id}" gradientUnits="userSpaceOnUse" cx="{x}" cy="{y}" r="{r}" fx="{fx}" fy="{fy}">"#
        ));
        for (share, color) in stops {
            let (share, color) = (Number(*share), StopColor(*color));
            self.line(format_args!(r#"<stop offset="{share}"{color}/>"#));
        }
        self.line(format_args!("</radialGradient>"));
        self.line(format_args!(
            r#"<circle cx="{x}" cy="{y}" r="{r}" fill="url(#shade-{id})"/>"#
        ));
    }

    fn text(
        &mut self,
        pos: [f32; 2],
        text: &str,
        size: f32,
        font: Font,
        color: Rgba,
        anchor: Anchor,
    ) {
        let x = Number(pos[0]);
        let y = Number(pos[1] + 0.5 * DIGIT_HEIGHT * size);
        let (family, size, color) = (font.family(), Number(size), Paint("fill", color));
        let face = match font {
            Font::Regular | Font::MathUpright => "",
            Font::SemiBold => r#" font-weight="600""#,
            Font::MathItalic => r#" font-style="italic""#,
        };
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => r#" text-anchor="middle""#,
            Anchor::End => r#" text-anchor="end""#,
        };
        let text = escaped(text);
        self.line(format_args!(
            r#"<text x="{x}" y="{y}" font-family="{family}" font-size="{size}"{face}{anchor}{color}>{text}</text>"#
        ));
    }
}

fn path(points: &[[f32; 2]], is_closed: bool) -> String {
    let mut path = String::with_capacity(points.len() * 14 + 1);
    for (i, point) in points.iter().enumerate() {
        let [x, y] = point.map(Number);
        let command = if i == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{command}{x} {y}");
    }
    if is_closed {
        path.push('Z');
    }
    path
}

/// Two decimals, none that are zero: a hundredth of a point is not seen.
struct Number(f32);

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = format!("{:.2}", self.0);
        let text = text.trim_end_matches('0').trim_end_matches('.');
        f.write_str(if text == "-0" { "0" } else { text })
    }
}

/// An attribute with a color, and its opacity if it has one.
struct Paint(&'static str, Rgba);

impl std::fmt::Display for Paint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self(name, Rgba([r, g, b, a])) = self;
        if *a == 0 {
            return write!(f, r#" {name}="none""#);
        }
        write!(f, r##" {name}="#{r:02x}{g:02x}{b:02x}""##)?;
        if *a < 255 {
            write!(f, r#" {name}-opacity="{:.3}""#, f32::from(*a) / 255.0)?;
        }
        Ok(())
    }
}

struct StopColor(Rgba);

impl std::fmt::Display for StopColor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Rgba([r, g, b, a]) = self.0;
        let opacity = f32::from(a) / 255.0;
        write!(
            f,
            r##" stop-color="#{r:02x}{g:02x}{b:02x}" stop-opacity="{opacity:.3}""##
        )
    }
}

/// Attributes of a stroke; nothing for none.
struct Pen(Stroke);

impl std::fmt::Display for Pen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Stroke { width, color, dash } = self.0;
        if width <= 0.0 {
            return Ok(());
        }
        write!(
            f,
            r#"{} stroke-width="{}""#,
            Paint("stroke", color),
            Number(width)
        )?;
        match dash {
            Some([on, off]) => {
                write!(f, r#" stroke-dasharray="{} {}""#, Number(on), Number(off))
            }
            None => Ok(()),
        }
    }
}

/// The recipe in an SVG file, if there is one.
pub(super) fn recipe(text: &str) -> Option<String> {
    let document = resvg::usvg::roxmltree::Document::parse(text).ok()?;
    let mut nodes = document.descendants();
    let metadata = nodes.find(|node| node.attribute("id") == Some(RECIPE_ID))?;
    metadata.text().map(str::to_owned)
}

/// The same for several lines of XML text.
fn escaped_lines(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(escaped).collect();
    lines.join("\n")
}

/// XML text; what XML cannot hold is left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(items: Vec<Item>) -> Scene {
        Scene {
            size: [100.0, 50.0],
            ground: Rgba::opaque(0x0e1116),
            groups: vec![Group::new("points", items)],
        }
    }

    #[test]
    fn dots_of_one_color_are_one_path() {
        let dot = |x: f32, rgb| Dot {
            center: [x, 1.0],
            color: Rgba::opaque(rgb),
            sample: 0,
        };
        let dots = vec![dot(1.0, 0xff0000), dot(2.5, 0xff0000), dot(3.0, 0x00ff00)];
        let text = svg(&Sheet::of(&scene(vec![Item::Dots { dots, radius: 1.5 }])));
        assert!(text.contains(r#"d="M1 1h0M2.5 1h0""#), "{text}");
        assert_eq!(text.matches("<path").count(), 2);
    }

    #[test]
    fn text_is_escaped_and_stays_text() {
        let item = Item::Text {
            pos: [10.0, 10.0],
            text: "a<b & \"c\"\u{7}".to_owned(),
            size: 10.0,
            font: Font::SemiBold,
            color: Rgba::opaque(0xffffff),
            anchor: Anchor::Middle,
        };
        let text = svg(&Sheet::of(&scene(vec![item])));
        assert!(
            text.contains(">a&lt;b &amp; &quot;c&quot;</text>"),
            "{text}"
        );
        assert!(text.contains(r#"font-family="Inter""#) && text.contains(r#"font-weight="600""#));
    }

    #[test]
    fn a_recipe_is_found_again_whatever_is_in_it() {
        let scene = scene(Vec::new());
        assert_eq!(recipe(&svg(&Sheet::of(&scene))), None);
        let text = "[data]\nsource = \"<a> & 'b' 手\"\n\n# ]]> --\n";
        let sheet = Sheet {
            recipe: Some(text),
            ..Sheet::of(&scene)
        };
        assert_eq!(recipe(&svg(&sheet)).as_deref(), Some(text));
        assert_eq!(recipe("<svg"), None);
    }

    #[test]
    fn the_ground_can_be_left_out() {
        let scene = scene(Vec::new());
        let sheet = Sheet::of(&scene);
        assert!(svg(&sheet).contains("<rect"));
        let bare = Sheet {
            has_ground: false,
            ..sheet
        };
        assert!(!svg(&bare).contains("<rect"));
    }
}
