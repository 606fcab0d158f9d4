#!/bin/sh
# Makes docs/gallery.md, docs/gallery/*.png and the small pictures of the window's page again, from
# assets/gallery. Needs ImageMagick; takes about five minutes on two cores.
# Usage: docs/gallery.sh [NAME…]    all figures, or only those
set -eu
cd "$(dirname "$0")/.."
cargo build --release
names="${*:-$(ls assets/gallery/*.toml | xargs -n 1 basename | sed 's/\.toml$//')}"
mkdir -p docs/gallery assets/gallery/thumbs
# 256 colours at most, and no more than 80 KB; a small picture has 6 KB at most.
for name in $names; do
  whole="$(mktemp --suffix=.png)"
  target/release/marginscope render "gallery:$name" --dpi 150 --out "$whole"
  for colors in 256 128 64 32 16; do
    convert "$whole" -strip -resize '1080x760>' +dither -colors "$colors" "PNG8:docs/gallery/$name.png"
    [ "$(wc -c < "docs/gallery/$name.png")" -le 81920 ] && break
  done
  # Of a strip its last panels, which have the shape of the button.
  for colors in 128 64 32; do
    convert "docs/gallery/$name.png" -strip -gravity NorthEast -crop '3:2+0+0' +repage -resize 144x96! \
      +dither -colors "$colors" "PNG8:assets/gallery/thumbs/$name.png"
    [ "$(wc -c < "assets/gallery/thumbs/$name.png")" -le 6144 ] && break
  done
  rm "$whole"
done
cargo build --release # the small pictures are inside the program
MARGINSCOPE_WRITE_GALLERY=1 cargo test --test gallery the_page
