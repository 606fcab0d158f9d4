//! What a picture consists of, built from a snapshot and a view state: points, lines, polygons,
//! text. Nothing here knows a toolkit or a file format.
//!
//! Coordinates are canvas points: the origin at the top left corner, x right, y down, one unit a
//! point of text size. Text and line widths are in the same unit, so that window and file agree.

mod about;
mod arrows;
mod build;
mod caption;
pub mod chart;
mod circle;
mod classes;
mod clouds;
mod compose;
mod curves;
mod dots;
mod drawn;
mod evenly;
pub mod fonts;
mod foot;
pub mod formula;
mod gaps;
mod heading;
mod hold;
mod ideal;
mod in_force;
mod input;
mod input_axes;
mod label;
mod landscape;
mod legend;
mod lens;
mod look;
mod message;
mod microscope;
mod pick;
mod place;
mod plane;
mod plane_view;
mod projection;
mod rays;
#[cfg(test)]
mod sample;
mod single;
mod sphere;
mod sphere_view;
pub mod theme;
mod trails;
mod view;

pub use about::{About, Used, about, numbers_in_words};
pub use build::{build, build_with};
pub use caption::{caption, divergence_note, notes, samples_words};
pub use classes::Classes;
pub use clouds::Clouds;
pub use curves::{Curves, WINDOW_SAGITTA};
pub use drawn::Verdict;
pub use foot::{foot_beside, has_formula_room};
pub use heading::heading;
pub use hold::{Grip, Held, grasp, place_at};
pub use legend::{Told, in_force_note, legend, mean_length_note, origin_notes};
pub use lens::{hover_ring, is_pulled, spot};
pub use look::{TextRange, number, thousands, told_apart};
pub use microscope::{Microscope, Target, signed};
pub use pick::{Direction, neighbor, pick};
pub use place::Spot;
pub use plane::weight_factor;
pub use plane_view::{Extent, PlaneView};
pub use sphere_view::SphereView;
pub use trails::{TrailSteps, Trails};
pub use view::{Insets, Light, Show, ViewState};

/// A colour with opacity, sRGB, not premultiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rgba(pub [u8; 4]);

/// A picture: groups in painting order on a ground.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// Width and height in points.
    pub size: [f32; 2],
    /// Behind everything.
    pub ground: Rgba,
    /// Named by what they hold: `regions`, `margins`, `points`, `weights`, `labels` …
    pub groups: Vec<Group>,
}

/// Items that belong together, painted in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What it holds.
    pub name: &'static str,
    /// Which of several pictures on one canvas it belongs to, from 1; 0 where there is but one.
    pub panel: usize,
    /// Painted in order.
    pub items: Vec<Item>,
}

impl Group {
    /// A group of a picture that is alone on its canvas.
    pub fn new(name: &'static str, items: Vec<Item>) -> Self {
        Self {
            name,
            panel: 0,
            items,
        }
    }

    /// Its name in a vector file: no two groups of a scene have the same.
    pub fn id(&self) -> String {
        match self.panel {
            0 => self.name.to_owned(),
            panel => format!("panel-{panel}-{}", self.name),
        }
    }
}

/// One thing to paint. Every coordinate is finite.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A filled region; several rings fill by the even-odd rule.
    Polygon {
        /// Closed rings; the last point is not repeated.
        rings: Vec<Vec<[f32; 2]>>,
        /// Its colour.
        fill: Rgba,
    },
    /// A line, closed or open.
    Line {
        /// At least two points.
        points: Vec<[f32; 2]>,
        /// Whether the last point is joined to the first.
        is_closed: bool,
        /// Colour, width, dashes.
        stroke: Stroke,
    },
    /// Many small dots of one size.
    Dots {
        /// Centre and colour of each.
        dots: Vec<Dot>,
        /// In points.
        radius: f32,
    },
    /// Many open lines of one width, each fading from its last point to nothing at its first.
    Trails {
        /// One line after the other, two points at least in each.
        points: Vec<[f32; 2]>,
        /// Where each line ends in them, and its colour there.
        lines: Vec<(u32, Rgba)>,
        /// In points.
        width: f32,
    },
    /// A larger disc with an outline.
    Disc {
        /// Its middle.
        center: [f32; 2],
        /// In points.
        radius: f32,
        /// Inside.
        fill: Rgba,
        /// Around; width 0 for none.
        stroke: Stroke,
    },
    /// A disc whose colour runs from a point inside it to its rim: light on a ball.
    ///
    /// At share t the colour lies on the circle of radius t·radius about focus + t·(center −
    /// focus), as in SVG. Between two stops only the opacity may differ.
    Shade {
        /// Its middle.
        center: [f32; 2],
        /// In points.
        radius: f32,
        /// Where share 0 lies, inside the disc.
        focus: [f32; 2],
        /// Shares from 0 to 1, ascending, with their colours.
        stops: Vec<(f32, Rgba)>,
    },
    /// A line of text.
    Text {
        /// Where the anchor lies: horizontally as `anchor` says, vertically the middle of the digits.
        pos: [f32; 2],
        /// What it says.
        text: String,
        /// In points.
        size: f32,
        /// Its face.
        font: Font,
        /// Its colour.
        color: Rgba,
        /// Which part of the text lies at `pos`.
        anchor: Anchor,
    },
}

/// One sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dot {
    /// Its middle.
    pub center: [f32; 2],
    /// Its colour.
    pub color: Rgba,
    /// Index in the probe.
    pub sample: u32,
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    /// In points; 0 draws nothing.
    pub width: f32,
    /// Its colour.
    pub color: Rgba,
    /// Lengths of dash and gap in points; `None` for a solid line.
    pub dash: Option<[f32; 2]>,
}

/// The faces that are in the binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Font {
    /// Inter Regular.
    Regular,
    /// Inter SemiBold.
    SemiBold,
    /// STIX Two Text Italic, for the letters of formulas.
    MathItalic,
    /// STIX Two Text Regular, for names of functions, numbers and signs in formulas.
    MathUpright,
}

/// Which part of a text lies at its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Anchor {
    /// Its left end.
    Start,
    /// Its middle.
    Middle,
    /// Its right end.
    End,
}
