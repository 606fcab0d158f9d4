//! A `Scene` as egui shapes: one mesh for all dots, triangles for regions, lines and text.

use std::sync::Arc;

use earcut::Earcut;
use egui::epaint::{Mesh, Vertex, WHITE_UV};
use egui::{
    Color32, ColorImage, Context, Pos2, Shape, Stroke, TextureHandle, TextureOptions, Vec2, pos2,
    vec2,
};

use crate::app::theme;
use crate::scene;
use crate::scene::fonts::DIGIT_HEIGHT;
use crate::scene::{Anchor, Dot, Item, Rgba, Scene};

/// Turns scenes into shapes; keeps pictures and meshes of dots between frames.
#[derive(Default)]
pub(super) struct Painter {
    /// One for each radius of the last scene.
    textures: Vec<DotTexture>,
    /// Those of the last scene, in order: new dots take the place of the old ones in memory.
    meshes: Vec<Arc<Mesh>>,
    /// Dots of this scene so far.
    n_meshes: usize,
    earcut: Earcut<f32>,
}

struct DotTexture {
    radius_px: f32,
    texture: TextureHandle,
    is_used: bool,
}

impl Painter {
    /// Shapes of a scene whose top left corner lies at `origin`.
    pub(super) fn shapes(&mut self, ctx: &Context, scene: &Scene, origin: Pos2) -> Vec<Shape> {
        let offset = origin.to_vec2();
        let mut shapes = Vec::new(); // the ground is what the window is cleared with
        self.n_meshes = 0;
        for texture in &mut self.textures {
            texture.is_used = false;
        }
        for item in scene.groups.iter().flat_map(|group| &group.items) {
            self.push(ctx, item, offset, &mut shapes);
        }
        self.meshes.truncate(self.n_meshes);
        self.textures.retain(|texture| texture.is_used);
        shapes
    }

    fn push(&mut self, ctx: &Context, item: &Item, offset: Vec2, shapes: &mut Vec<Shape>) {
        match item {
            Item::Polygon { rings, fill } => shapes.push(Shape::mesh(self.polygon(
                rings,
                theme::color(*fill),
                offset,
            ))),
            Item::Line {
                points,
                is_closed,
                stroke,
            } => push_line(points, *is_closed, *stroke, offset, shapes),
            Item::Dots { dots, radius } => {
                shapes.push(Shape::Mesh(self.dots(ctx, dots, *radius, offset)));
            }
            Item::Trails {
                points,
                lines,
                width,
            } => {
                let mesh = self.trails(ctx, points, lines, *width, offset);
                shapes.push(Shape::Mesh(mesh));
            }
            Item::Disc {
                center,
                radius,
                fill,
                stroke,
            } => {
                let center = Pos2::from(*center) + offset;
                shapes.push(Shape::circle_filled(center, *radius, theme::color(*fill)));
                if stroke.width > 0.0 {
                    shapes.push(Shape::circle_stroke(
                        center,
                        *radius,
                        Stroke::new(stroke.width, theme::color(stroke.color)),
                    ));
                }
            }
            Item::Shade {
                center,
                radius,
                focus,
                stops,
            } => {
                shapes.push(Shape::mesh(shade(
                    Pos2::from(*center) + offset,
                    *radius,
                    Pos2::from(*focus) + offset,
                    stops,
                )));
            }
            Item::Text { .. } => shapes.extend(text(ctx, item, offset)),
        }
    }

    /// Triangles of a region that is filled by the even-odd rule: each outer ring with its holes.
    fn polygon(&mut self, rings: &[Vec<[f32; 2]>], fill: Color32, offset: Vec2) -> Mesh {
        let mut mesh = Mesh::default();
        let mut triangles: Vec<u32> = Vec::new();
        for (outer, holes) in nest(rings) {
            let first = mesh.vertices.len() as u32;
            let mut hole_starts: Vec<u32> = Vec::new();
            let mut points = outer.clone();
            for hole in holes {
                hole_starts.push(points.len() as u32);
                points.extend_from_slice(hole);
            }
            self.earcut
                .earcut(points.iter().copied(), &hole_starts, &mut triangles);
            mesh.indices
                .extend(triangles.iter().map(|index| first + index));
            mesh.vertices.extend(points.iter().map(|p| Vertex {
                pos: Pos2::from(*p) + offset,
                uv: WHITE_UV,
                color: fill,
            }));
        }
        mesh
    }

    /// One triangle a dot, textured with a smooth disc of just this size.
    ///
    /// The disc lies within the triangle; beyond its picture the transparent border goes on. A
    /// quad would take a third more vertices, and the mesh is copied with every frame.
    fn dots(&mut self, ctx: &Context, dots: &[Dot], radius: f32, offset: Vec2) -> Arc<Mesh> {
        let texture = self.texture(ctx, radius * ctx.pixels_per_point());
        let side = texture.size()[0] as f32 / ctx.pixels_per_point();
        let corners = triangle(radius / side + 1.0 / texture.size()[0] as f32);
        let offsets = corners.map(|corner| side * corner + offset);
        let uvs = corners.map(|corner| pos2(0.5, 0.5) + corner);
        let mesh = self.next_mesh();
        mesh.texture_id = texture.id();
        mesh.indices.extend(0..3 * dots.len() as u32);
        mesh.vertices.reserve(3 * dots.len());
        let mut last = (Rgba([0; 4]), Color32::TRANSPARENT);
        for dot in dots {
            if dot.color != last.0 {
                last = (dot.color, theme::color(dot.color));
            }
            let center = Pos2::from(dot.center);
            mesh.vertices.extend([0, 1, 2].map(|i| Vertex {
                pos: center + offsets[i],
                uv: uvs[i],
                color: last.1,
            }));
        }
        self.n_meshes += 1;
        Arc::clone(&self.meshes[self.n_meshes - 1])
    }

    /// A strip of two corners a point, textured across with the smooth profile of a line: the
    /// middle row of a disc.
    fn trails(
        &mut self,
        ctx: &Context,
        points: &[[f32; 2]],
        lines: &[(u32, Rgba)],
        width: f32,
        offset: Vec2,
    ) -> Arc<Mesh> {
        let texture = self.texture(ctx, 0.5 * width * ctx.pixels_per_point());
        let half = 0.5 * texture.size()[0] as f32 / ctx.pixels_per_point();
        let mesh = self.next_mesh();
        mesh.texture_id = texture.id();
        mesh.vertices.reserve(2 * points.len());
        let mut start = 0;
        for &(end, color) in lines {
            let end = end as usize;
            push_strip(mesh, &points[start..end], theme::color(color), half, offset);
            start = end;
        }
        self.n_meshes += 1;
        Arc::clone(&self.meshes[self.n_meshes - 1])
    }

    /// An empty mesh for the next dots, with the memory of the last frame's if nobody draws that.
    fn next_mesh(&mut self) -> &mut Mesh {
        if self.n_meshes == self.meshes.len() {
            self.meshes.push(Arc::default());
        }
        let kept = &mut self.meshes[self.n_meshes];
        if Arc::get_mut(kept).is_none() {
            *kept = Arc::default();
        }
        let mesh = Arc::make_mut(kept);
        // `Mesh::clear` gives the memory of its vertices away.
        mesh.vertices.clear();
        mesh.indices.clear();
        mesh
    }

    fn texture(&mut self, ctx: &Context, radius_px: f32) -> TextureHandle {
        let known = self
            .textures
            .iter_mut()
            .find(|dot| dot.radius_px == radius_px);
        if let Some(dot) = known {
            dot.is_used = true;
            return dot.texture.clone();
        }
        let texture = ctx.load_texture("dot", disc_image(radius_px), TextureOptions::LINEAR);
        self.textures.push(DotTexture {
            radius_px,
            texture: texture.clone(),
            is_used: true,
        });
        texture
    }
}

/// A line as a strip that fades towards its beginning; corners lie across the way from the point
/// before to the next one.
fn push_strip(mesh: &mut Mesh, line: &[[f32; 2]], color: Color32, half: f32, offset: Vec2) {
    let first = mesh.vertices.len() as u32;
    let last = line.len() - 1;
    for (i, &point) in line.iter().enumerate() {
        let (before, after) = (line[i.saturating_sub(1)], line[(i + 1).min(last)]);
        let along = vec2(after[0] - before[0], after[1] - before[1]);
        let across = half * along.normalized().rot90();
        let at = Pos2::from(point) + offset;
        let faded = color.gamma_multiply(i as f32 / last as f32);
        for (pos, y) in [(at - across, 0.0), (at + across, 1.0)] {
            let uv = pos2(0.5, y);
            mesh.vertices.push(Vertex {
                pos,
                uv,
                color: faded,
            });
        }
    }
    for corner in (0..last as u32).map(|i| first + 2 * i) {
        mesh.indices.extend([corner, corner + 1, corner + 2]);
        mesh.indices.extend([corner + 1, corner + 3, corner + 2]);
    }
}

/// Corners of the smallest triangle about a disc.
fn triangle(radius: f32) -> [Vec2; 3] {
    let half = 3.0_f32.sqrt() * radius;
    [
        vec2(0.0, -2.0 * radius),
        vec2(half, radius),
        vec2(-half, radius),
    ]
}

fn push_line(
    points: &[[f32; 2]],
    is_closed: bool,
    stroke: scene::Stroke,
    offset: Vec2,
    shapes: &mut Vec<Shape>,
) {
    let mut path: Vec<Pos2> = points.iter().map(|p| Pos2::from(*p) + offset).collect();
    let line = Stroke::new(stroke.width, theme::color(stroke.color));
    match stroke.dash {
        Some([dash, gap]) => {
            path.extend(is_closed.then(|| path[0]));
            Shape::dashed_line_many(&path, line, dash, gap, shapes);
        }
        None if is_closed => shapes.push(Shape::closed_line(path, line)),
        None => shapes.push(Shape::line(path, line)),
    }
}

fn text(ctx: &Context, item: &Item, offset: Vec2) -> Option<Shape> {
    let Item::Text {
        pos,
        text,
        size,
        font,
        color,
        anchor,
    } = item
    else {
        return None;
    };
    let color = theme::color(*color);
    let galley =
        ctx.fonts_mut(|fonts| fonts.layout_no_wrap(text.clone(), theme::font(*font, *size), color));
    let share = match anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => 0.5,
        Anchor::End => 1.0,
    };
    let first = galley.rows.first()?.glyphs.first()?;
    // The baseline, as in a file: half a digit of Inter below the position, whatever the face.
    let baseline = pos[1] + 0.5 * DIGIT_HEIGHT * size;
    let corner = pos2(pos[0] - share * galley.size().x, baseline - first.pos.y);
    Some(Shape::galley(corner + offset, galley, color))
}

/// A disc whose colour changes from its focus to its rim: a ring of vertices for each stop.
fn shade(center: Pos2, radius: f32, focus: Pos2, stops: &[(f32, Rgba)]) -> Mesh {
    const SEGMENTS: u32 = 96;
    let mut mesh = Mesh::default();
    for (ring, (share, color)) in stops.iter().enumerate() {
        let middle = focus + *share * (center - focus);
        for i in 0..SEGMENTS {
            let turn = i as f32 / SEGMENTS as f32 * std::f32::consts::TAU;
            mesh.colored_vertex(
                middle + *share * radius * vec2(turn.cos(), turn.sin()),
                theme::color(*color),
            );
            if ring > 0 {
                let (outer, next) = (ring as u32 * SEGMENTS, (i + 1) % SEGMENTS);
                let inner = outer - SEGMENTS;
                mesh.add_triangle(inner + i, outer + i, outer + next);
                mesh.add_triangle(inner + i, outer + next, inner + next);
            }
        }
    }
    mesh
}

/// A white disc whose edge covers pixels in part, with a transparent border.
fn disc_image(radius_px: f32) -> ColorImage {
    let side = 2 * (radius_px.ceil() as usize + 1);
    let middle = side as f32 / 2.0;
    let pixels = (0..side * side).map(|i| {
        let from_middle = vec2(
            (i % side) as f32 + 0.5 - middle,
            (i / side) as f32 + 0.5 - middle,
        );
        let coverage = (radius_px + 0.5 - from_middle.length()).clamp(0.0, 1.0);
        Color32::from_white_alpha((255.0 * coverage) as u8)
    });
    ColorImage::new([side, side], pixels.collect())
}

type Ring = Vec<[f32; 2]>;

/// Each outer ring with the holes directly inside it.
fn nest(rings: &[Ring]) -> Vec<(&Ring, Vec<&Ring>)> {
    let depth = |ring: &Ring| {
        rings
            .iter()
            .filter(|other| !std::ptr::eq(*other, ring) && contains(other, ring[0]))
            .count()
    };
    let rings: Vec<(&Ring, usize)> = rings
        .iter()
        .filter(|ring| ring.len() >= 3)
        .map(|ring| (ring, depth(ring)))
        .collect();
    let outer = rings.iter().filter(|(_, depth)| depth % 2 == 0);
    outer
        .map(|&(outer, depth)| {
            let holes = rings
                .iter()
                .filter(|(hole, hole_depth)| *hole_depth == depth + 1 && contains(outer, hole[0]));
            (outer, holes.map(|(hole, _)| *hole).collect())
        })
        .collect()
}

/// Whether a point lies inside a ring (crossings of a ray to the right).
fn contains(ring: &Ring, [x, y]: [f32; 2]) -> bool {
    let edges = ring.iter().zip(ring.iter().cycle().skip(1));
    let crossings = edges.filter(|([ax, ay], [bx, by])| {
        (*ay > y) != (*by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax
    });
    crossings.count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::LOSSES;
    use crate::scene::formula::{Block, Reading};

    fn square(left: f32, top: f32, side: f32) -> Ring {
        vec![
            [left, top],
            [left + side, top],
            [left + side, top + side],
            [left, top + side],
        ]
    }

    fn area(rings: &[Ring]) -> f32 {
        let mesh = Painter::default().polygon(rings, Color32::WHITE, Vec2::ZERO);
        let at = |i: usize| mesh.vertices[mesh.indices[i] as usize].pos;
        (0..mesh.indices.len() / 3)
            .map(|t| {
                let (a, b, c) = (at(3 * t), at(3 * t + 1), at(3 * t + 2));
                ((b - a).x * (c - a).y - (b - a).y * (c - a).x).abs() / 2.0
            })
            .sum()
    }

    #[test]
    fn holes_and_islands_fill_by_the_even_odd_rule() {
        assert!((area(&[square(0.0, 0.0, 10.0)]) - 100.0).abs() < 1e-3);
        assert!((area(&[square(0.0, 0.0, 10.0), square(20.0, 0.0, 5.0)]) - 125.0).abs() < 1e-3);
        assert!(
            (area(&[
                square(0.0, 0.0, 10.0),
                square(2.0, 2.0, 6.0),
                square(4.0, 4.0, 2.0)
            ]) - 68.0)
                .abs()
                < 1e-3
        );
    }

    /// Where the baseline of a text begins on the screen, and how wide the text is.
    fn baseline(shape: &Shape) -> (Pos2, f32, String) {
        let Shape::Text(text) = shape else {
            panic!("{shape:?}")
        };
        let glyph = &text.galley.rows[0].glyphs[0];
        let start = text.pos + vec2(glyph.pos.x, glyph.pos.y);
        (start, text.galley.size().x, text.galley.text().to_owned())
    }

    /// The window draws the items of a formula where a file has them, in fonts as wide as the
    /// layout took them to be.
    #[test]
    fn formulas_stand_in_the_window_as_in_a_file() {
        let ctx = Context::default();
        theme::install(&ctx);
        ctx.begin_pass(egui::RawInput::default());
        let origin = vec2(30.0, 40.0);
        for spec in LOSSES {
            let block = Block::of(&spec.formula.whole(), spec, Reading::Letters, 20.0);
            for item in block.items([5.0, 60.0], |_| Rgba::opaque(0)) {
                let Item::Text {
                    pos,
                    text: words,
                    size,
                    font,
                    ..
                } = &item
                else {
                    continue;
                };
                let shape = text(&ctx, &item, origin).expect("a text");
                let (start, width, drawn) = baseline(&shape);
                assert_eq!(&drawn, words);
                let y = pos[1] + 0.5 * DIGIT_HEIGHT * size; // as `export::svg` writes it
                let off = start - (pos2(pos[0], y) + origin);
                assert!(off.length() < 1e-3, "{words}: {off:?}");
                let expected = scene::fonts::extent(words, *font, *size).width;
                let tolerance = 0.02 * size + 0.5; // kerning, and whole pixels of a line
                assert!(
                    (width - expected).abs() <= tolerance,
                    "{words}: {width} {expected}"
                );
            }
        }
        ctx.end_pass().drop_without_applying_deltas();
    }

    fn scene_of(n_dots: u32, radius: f32) -> Scene {
        let dots = (0..n_dots).map(|sample| Dot {
            center: [10.0 * sample as f32, 20.0],
            color: Rgba::opaque(0x3f90da),
            sample,
        });
        let dots = dots.collect();
        Scene {
            size: [200.0, 100.0],
            ground: Rgba::opaque(0),
            groups: vec![scene::Group::new(
                "points",
                vec![Item::Dots { dots, radius }],
            )],
        }
    }

    fn mesh_of(shapes: &[Shape]) -> Arc<Mesh> {
        match &shapes[0] {
            Shape::Mesh(mesh) => Arc::clone(mesh),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_triangle_of_a_dot_holds_its_disc() {
        let (ctx, radius) = (Context::default(), 1.7);
        let origin = pos2(30.0, 40.0);
        let mesh = mesh_of(&Painter::default().shapes(&ctx, &scene_of(3, radius), origin));
        assert_eq!((mesh.vertices.len(), mesh.indices.len()), (9, 9));
        for (i, corners) in mesh.vertices.chunks_exact(3).enumerate() {
            let center = pos2(10.0 * i as f32, 20.0) + origin.to_vec2();
            for k in 0..3 {
                let (a, b) = (corners[k].pos, corners[(k + 1) % 3].pos);
                let off = (b - a).rot90().normalized().dot(center - a).abs();
                assert!(
                    off >= radius + 0.5,
                    "{off}: the edge is smoothed over a pixel"
                );
            }
            // The middle of the texture lies at the middle of the dot.
            let middle = |of: fn(&Vertex) -> Vec2| {
                corners.iter().map(of).fold(Vec2::ZERO, |a, b| a + b) / 3.0
            };
            assert!((middle(|v| v.pos.to_vec2()) - center.to_vec2()).length() < 1e-3);
            assert!((middle(|v| v.uv.to_vec2()) - vec2(0.5, 0.5)).length() < 1e-6);
        }
    }

    #[test]
    fn a_trail_is_a_strip_that_fades_towards_its_beginning() {
        let (ctx, color) = (Context::default(), Rgba::opaque(0x3f90da));
        let mut scene = scene_of(0, 1.0);
        scene.groups[0].items = vec![Item::Trails {
            points: vec![[0.0, 0.0], [10.0, 0.0], [20.0, 0.0], [5.0, 5.0], [5.0, 9.0]],
            lines: vec![(3, color), (5, color)],
            width: 2.0,
        }];
        let mesh = mesh_of(&Painter::default().shapes(&ctx, &scene, pos2(100.0, 0.0)));
        assert_eq!((mesh.vertices.len(), mesh.indices.len()), (10, 3 * 6));
        let largest = mesh.indices.iter().max().copied();
        assert_eq!(largest, Some(9));
        let alphas: Vec<u8> = mesh.vertices.iter().map(|v| v.color.a()).collect();
        assert_eq!(alphas, [0, 0, 128, 128, 255, 255, 0, 0, 255, 255]);
        for pair in mesh.vertices.chunks_exact(2) {
            let across = pair[1].pos - pair[0].pos;
            assert!(across.length() > 2.0, "room for a smooth edge");
            assert_eq!((pair[0].uv.y, pair[1].uv.y), (0.0, 1.0));
        }
        assert_eq!(mesh.vertices[2].pos.x, 110.0, "across the way");
    }

    #[test]
    fn dots_that_nobody_draws_any_more_leave_their_memory_to_new_ones() {
        let ctx = Context::default();
        let mut painter = Painter::default();
        let first = mesh_of(&painter.shapes(&ctx, &scene_of(5, 2.0), Pos2::ZERO));
        let drawn = mesh_of(&painter.shapes(&ctx, &scene_of(4, 2.0), Pos2::ZERO));
        assert!(!Arc::ptr_eq(&first, &drawn));
        assert_eq!(
            first.vertices.len(),
            15,
            "what is still drawn does not change"
        );
        let at = drawn.vertices.as_ptr();
        drop(drawn);
        let next = mesh_of(&painter.shapes(&ctx, &scene_of(3, 2.0), Pos2::ZERO));
        assert_eq!(next.vertices.as_ptr(), at);
    }

    #[test]
    fn each_radius_has_one_texture_for_as_long_as_it_is_drawn() {
        let ctx = Context::default();
        let mut painter = Painter::default();
        let texture = |painter: &mut Painter, radius: f32| {
            mesh_of(&painter.shapes(&ctx, &scene_of(1, radius), Pos2::ZERO)).texture_id
        };
        let small = texture(&mut painter, 1.0);
        assert_eq!(texture(&mut painter, 1.0), small);
        assert_ne!(texture(&mut painter, 3.0), small);
        assert_eq!(painter.textures.len(), 1);
    }
}
