//! A scene as SVG: groups named by what they hold, text stays text, the same bytes every time.

use std::fmt::Write as _;

use crate::scene::{Anchor, Dot, Font, Group, Item, Rgba, Scene, Stroke};

/// The scene as an SVG document of the scene's size in pixels.
pub fn svg(scene: &Scene) -> String {
    let [width, height] = scene.size;
    let mut writer = Writer::default();
    writer.line(&format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\">",
        number(width),
        number(height)
    ));
    writer.line(&format!(
        "<rect id=\"ground\" width=\"100%\" height=\"100%\"{}/>",
        fill(scene.ground)
    ));
    for group in &scene.groups {
        writer.group(group);
    }
    writer.line("</svg>");
    writer.text
}

#[derive(Default)]
struct Writer {
    text: String,
    n_gradients: usize,
}

impl Writer {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn group(&mut self, group: &Group) {
        self.line(&format!("<g id=\"{}\">", escaped(group.name)));
        for item in &group.items {
            self.item(item);
        }
        self.line("</g>");
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Polygon { rings, fill: color } => {
                let path: String = rings.iter().map(|ring| path(ring, true)).collect();
                self.line(&format!(
                    "<path d=\"{path}\" fill-rule=\"evenodd\"{}/>",
                    fill(*color)
                ));
            }
            Item::Line {
                points,
                is_closed,
                stroke,
            } => {
                self.line(&format!(
                    "<path d=\"{}\" fill=\"none\"{}/>",
                    path(points, *is_closed),
                    stroked(*stroke)
                ));
            }
            Item::Dots { dots, radius } => self.dots(dots, *radius),
            Item::Disc {
                center: [x, y],
                radius,
                fill: color,
                stroke,
            } => {
                let outline = if stroke.width > 0.0 {
                    stroked(*stroke)
                } else {
                    String::new()
                };
                self.line(&format!(
                    "<circle cx=\"{}\" cy=\"{}\" r=\"{}\"{}{outline}/>",
                    number(*x),
                    number(*y),
                    number(*radius),
                    fill(*color)
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
            } => {
                self.line(&text_element(*pos, text, *size, *font, *color, *anchor));
            }
        }
    }

    /// Dots of one colour in a row become one path of points with round caps.
    fn dots(&mut self, dots: &[Dot], radius: f32) {
        for run in dots.chunk_by(|a, b| a.color == b.color) {
            let mut path = String::new();
            for dot in run {
                let [x, y] = dot.center;
                let _ = write!(path, "M{} {}h0", number(x), number(y)); // writing to a String cannot fail
            }
            let stroke = Stroke {
                width: 2.0 * radius,
                color: run[0].color,
                dash: None,
            };
            self.line(&format!(
                "<path d=\"{path}\" fill=\"none\" stroke-linecap=\"round\"{}/>",
                stroked(stroke)
            ));
        }
    }

    fn shade(&mut self, [x, y]: [f32; 2], radius: f32, [fx, fy]: [f32; 2], stops: &[(f32, Rgba)]) {
        let id = format!("shade{}", self.n_gradients);
        self.n_gradients += 1;
        let (x, y, radius) = (number(x), number(y), number(radius));
        self.line(&format!(
            "<radialGradient id=\"{id}\" gradientUnits=\"userSpaceOnUse\" cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" fx=\"{}\" fy=\"{}\">",
            number(fx),
            number(fy)
        ));
        for (share, color) in stops {
            let opacity = opacity("stop-opacity", *color);
            self.line(&format!(
                "<stop offset=\"{}\" stop-color=\"{}\"{opacity}/>",
                number(*share),
                hex(*color)
            ));
        }
        self.line("</radialGradient>");
        self.line(&format!(
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" fill=\"url(#{id})\"/>"
        ));
    }
}

/// Half the height of Inter's digits, over the size: a text's position is the middle of its digits.
const HALF_DIGIT: f32 = crate::scene::fonts::DIGIT_HEIGHT / 2.0;

fn text_element(
    [x, y]: [f32; 2],
    text: &str,
    size: f32,
    font: Font,
    color: Rgba,
    anchor: Anchor,
) -> String {
    let anchor = match anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    };
    let face = match font {
        Font::Regular => "",
        Font::SemiBold => " font-weight=\"600\"",
        Font::MathItalic => " font-style=\"italic\"",
    };
    format!(
        "<text x=\"{}\" y=\"{}\" font-family=\"{}\" font-size=\"{}\"{face} text-anchor=\"{anchor}\"{}>{}</text>",
        number(x),
        number(y + HALF_DIGIT * size),
        font.family(),
        number(size),
        fill(color),
        escaped(text)
    )
}

fn path(points: &[[f32; 2]], is_closed: bool) -> String {
    let mut path = String::new();
    for (i, [x, y]) in points.iter().enumerate() {
        let command = if i == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{command}{} {}", number(*x), number(*y)); // writing to a String cannot fail
    }
    path.push_str(if is_closed { "Z" } else { "" });
    path
}

fn fill(color: Rgba) -> String {
    format!(" fill=\"{}\"{}", hex(color), opacity("fill-opacity", color))
}

fn stroked(stroke: Stroke) -> String {
    let dash = stroke.dash.map_or(String::new(), |[dash, gap]| {
        format!(" stroke-dasharray=\"{} {}\"", number(dash), number(gap))
    });
    let opacity = opacity("stroke-opacity", stroke.color);
    format!(
        " stroke=\"{}\" stroke-width=\"{}\"{opacity}{dash}",
        hex(stroke.color),
        number(stroke.width)
    )
}

fn hex(color: Rgba) -> String {
    let [r, g, b, _] = color.0;
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn opacity(name: &str, color: Rgba) -> String {
    match color.0[3] {
        255 => String::new(),
        alpha => format!(" {name}=\"{}\"", number(f32::from(alpha) / 255.0)),
    }
}

/// At most three decimals, without trailing zeros.
fn number(value: f32) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_scene_reads_as_expected() {
        let scene = Scene {
            size: [20.0, 10.0],
            ground: Rgba::opaque(0xffffff),
            groups: vec![Group {
                name: "labels",
                items: vec![Item::Text {
                    pos: [1.0, 5.0],
                    text: "a<b & \"c\"".to_owned(),
                    size: 10.0,
                    font: Font::SemiBold,
                    color: Rgba::opaque(0x102030).with_opacity(0.5),
                    anchor: Anchor::Middle,
                }],
            }],
        };
        insta::assert_snapshot!(svg(&scene), @r##"
        <svg xmlns="http://www.w3.org/2000/svg" width="20" height="10" viewBox="0 0 20 10">
        <rect id="ground" width="100%" height="100%" fill="#ffffff"/>
        <g id="labels">
        <text x="1" y="8.635" font-family="Inter" font-size="10" font-weight="600" text-anchor="middle" fill="#102030" fill-opacity="0.502">a&lt;b &amp; &quot;c&quot;</text>
        </g>
        </svg>
        "##);
    }
}
