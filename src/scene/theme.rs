//! Colours of both themes and of the classes: the tokens of the design, nothing else.

use crate::scene::Rgba;

/// The tokens of one theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Whether light text stands on dark ground.
    pub is_dark: bool,
    /// Behind the picture.
    pub ground: Rgba,
    /// Behind controls.
    pub panel: Rgba,
    /// Behind what can be pressed or is chosen.
    pub raised: Rgba,
    /// Between panels.
    pub hairline: Rgba,
    /// Around controls.
    pub hairline_strong: Rgba,
    /// What is read.
    pub text: Rgba,
    /// Labels.
    pub dimmed: Rgba,
    /// What nobody needs to read.
    pub faint: Rgba,
    /// The one colour of the interface.
    pub accent: Rgba,
    /// Past what theory allows.
    pub past_ceiling: Rgba,
}

/// Dark, the default.
pub const DARK: Theme = Theme {
    is_dark: true,
    ground: Rgba::opaque(0x0e1116),
    panel: Rgba::opaque(0x151920),
    raised: Rgba::opaque(0x1e242d),
    hairline: Rgba::opaque(0x242b35),
    hairline_strong: Rgba::opaque(0x323b47),
    text: Rgba::opaque(0xe8ebf0),
    dimmed: Rgba::opaque(0x8f9aa8),
    faint: Rgba::opaque(0x5d6775),
    accent: Rgba::opaque(0x6fb1ff),
    past_ceiling: Rgba::opaque(0xff5c8a),
};

/// Light, for print and bright rooms.
pub const LIGHT: Theme = Theme {
    is_dark: false,
    ground: Rgba::opaque(0xffffff),
    panel: Rgba::opaque(0xf5f6f8),
    raised: Rgba::opaque(0xe9ecf0),
    hairline: Rgba::opaque(0xdfe3e8),
    hairline_strong: Rgba::opaque(0xc9d0d8),
    text: Rgba::opaque(0x171b21),
    dimmed: Rgba::opaque(0x5a6572),
    faint: Rgba::opaque(0x97a1ad),
    accent: Rgba::opaque(0x1f6fd0),
    past_ceiling: Rgba::opaque(0xb3124a),
};

/// Colours of classes there are.
pub const N_COLORS: usize = 10;

/// petroff10 (Petroff 2021, arXiv 2107.02270): ten colours that colour-blind viewers tell apart.
const CLASSES: [u32; N_COLORS] = [
    0x3f90da, 0xffa90e, 0xbd1f01, 0x94a4a2, 0x832db6, 0xa96b59, 0xe76300, 0xb9ac70, 0x717581,
    0x92dadd,
];

/// The colour of a class; beyond ten they repeat, and its label tells it apart.
pub fn class_color(class: usize) -> Rgba {
    Rgba::opaque(CLASSES[class % CLASSES.len()])
}

impl Rgba {
    /// From 0xRRGGBB.
    pub const fn opaque(rgb: u32) -> Self {
        Self([(rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8, 255])
    }

    /// The same colour with this opacity, 0 to 1.
    #[must_use]
    pub fn with_opacity(self, opacity: f32) -> Self {
        let [r, g, b, _] = self.0;
        Self([r, g, b, (opacity.clamp(0.0, 1.0) * 255.0).round() as u8])
    }

    /// A mixture, sRGB component by component: 0 is `self`, 1 is `other`.
    #[must_use]
    pub fn mix(self, other: Self, share: f32) -> Self {
        let mut mixed = self.0;
        for (a, b) in mixed.iter_mut().zip(other.0) {
            *a = (f32::from(*a) + share.clamp(0.0, 1.0) * (f32::from(b) - f32::from(*a))).round()
                as u8;
        }
        Self(mixed)
    }

    /// Relative luminance (WCAG 2.2).
    pub fn luminance(self) -> f32 {
        let linear = |c: u8| {
            let c = f32::from(c) / 255.0;
            if c <= 0.04045 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        };
        let [r, g, b, _] = self.0;
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    }

    /// Contrast ratio, 1 to 21 (WCAG 2.2).
    pub fn contrast(self, other: Self) -> f32 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// Black or white, whichever contrasts more with this colour.
    #[must_use]
    pub fn text_on(self) -> Self {
        let (black, white) = (Self::opaque(0x000000), Self::opaque(0xffffff));
        if self.contrast(black) >= self.contrast(white) {
            black
        } else {
            white
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_labels_are_readable_on_their_grounds() {
        for theme in [DARK, LIGHT] {
            for ground in [theme.ground, theme.panel] {
                assert!(theme.text.contrast(ground) > 12.0);
                assert!(
                    theme.dimmed.contrast(ground) >= 4.5,
                    "{:?}",
                    theme.dimmed.contrast(ground)
                );
                assert!(theme.past_ceiling.contrast(ground) >= 4.5);
                assert!(theme.accent.contrast(ground) >= 4.5);
            }
        }
    }

    #[test]
    fn text_on_every_class_colour_is_readable() {
        for class in 0..10 {
            let color = class_color(class);
            assert!(color.text_on().contrast(color) >= 4.5);
        }
    }
}
