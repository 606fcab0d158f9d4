#!/usr/bin/env python3
"""Measures the real window under Xvfb and prints the lines of BENCHMARKS.md.

Usage: window.py [--binary PATH] [--seconds S] [--runs N] [--shots FOLDER]

Time to the first frame, memory with all of MNIST, processor time while paused, and training steps
beside headless ones. Needs Xvfb, xdotool and libX11; the standard library is all else. The window
draws with software OpenGL, which takes the processor from training: elsewhere it does not.
"""
import argparse
import ctypes
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
TICKS = os.sysconf("SC_CLK_TCK")
LONGEST_S = 30


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=Path, default=HERE.parent / "target/release/marginscope")
    parser.add_argument("--seconds", type=float, default=20.0, help="time of each measurement (20)")
    parser.add_argument("--runs", type=int, default=9, help="starts of the window (9)")
    parser.add_argument("--shots", type=Path, help="only save pictures of the window into this folder")
    found = parser.parse_args()
    if not found.binary.exists():
        parser.error(f"{found.binary} is not there; run cargo build --release before")
    return found


class Image(ctypes.Structure):
    """The beginning of an XImage."""

    _fields_ = [(name, ctypes.c_int) for name in ("width", "height", "xoffset", "format")] + [("data", ctypes.c_void_p)]


class Screen:
    """Reads pixels of a display without starting a process for each look."""

    def __init__(self):
        self.x11 = ctypes.CDLL("libX11.so.6")
        self.x11.XOpenDisplay.restype = ctypes.c_void_p
        self.x11.XDefaultRootWindow.restype = ctypes.c_ulong
        self.x11.XGetImage.restype = ctypes.POINTER(Image)
        self.display = ctypes.c_void_p(self.x11.XOpenDisplay(None))
        self.root = ctypes.c_ulong(self.x11.XDefaultRootWindow(self.display))

    def colors(self, x, y, width, height):
        """The different pixels of a part of the screen."""
        all_planes, z_pixmap = ctypes.c_ulong(0xFFFFFF), 2
        image = self.x11.XGetImage(self.display, self.root, x, y, width, height, all_planes, z_pixmap)
        data = ctypes.string_at(image.contents.data, 4 * width * height)
        self.x11.XFree(ctypes.c_void_p(image.contents.data))
        return {data[i : i + 3] for i in range(0, len(data), 4)}


@contextmanager
def display():
    """A display of its own on a free number."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(write)
    os.environ["DISPLAY"] = f":{os.read(read, 16).decode().strip()}"
    try:
        yield Screen()
    finally:
        server.terminate()
        server.wait()


@contextmanager
def window(binary, *settings, threads=1, kept=None):
    """The program as somebody starts it who has never run it before, or has chosen what is kept."""
    with tempfile.TemporaryDirectory() as home:
        if kept:
            folder = Path(home) / ".local/share/marginscope"
            folder.mkdir(parents=True)
            (folder / "app.ron").write_text(f'{{"app": "{kept}"}}')
        environment = {**os.environ, "HOME": home, "LIBGL_ALWAYS_SOFTWARE": "1"}
        for name in ("WAYLAND_DISPLAY", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
            environment.pop(name, None)
        command = [str(binary), "--threads", str(threads), *settings]
        program = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        program.home = Path(home)
        try:
            yield program
        finally:
            program.terminate()
            program.wait()


def wait_until(holds, what):
    start = time.perf_counter()
    while not holds():
        if time.perf_counter() - start > LONGEST_S:
            sys.exit(f"waited {LONGEST_S} s in vain for {what}")
    return time.perf_counter() - start


def first_frame(screen):
    """Seconds until the bar at the top is painted; an unpainted window is black."""
    return wait_until(lambda: screen.colors(10, 10, 4, 4) != {b"\0\0\0"}, "a frame")


def first_picture(screen):
    """Seconds until the middle has as many colors as cells and points make."""
    return wait_until(lambda: len(screen.colors(400, 200, 300, 300)) > 200, "a picture")


def press(key):
    found = subprocess.run(["xdotool", "search", "--onlyvisible", "--name", "^marginscope"], capture_output=True, text=True, check=True)
    subprocess.run(["xdotool", "windowfocus", "--sync", found.stdout.split()[0], "key", key], check=True)


def cpu_seconds(program):
    fields = Path(f"/proc/{program.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mb(program, field="VmRSS"):
    status = Path(f"/proc/{program.pid}/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+)", status)[1]) / 1024


def saved_step(program, known):
    """Asks for a picture and returns the step in its name, with the time at which it was asked."""
    asked = time.perf_counter()
    press("shift+e")
    saved = lambda: list(program.home.rglob("marginscope-*.png"))
    wait_until(lambda: len(saved()) > known, "a saved picture")
    return max(int(path.stem.rpartition("step")[2]) for path in saved()), asked


def start_lines(args, screen):
    frames, pictures = [], []
    for _ in range(args.runs):
        with window(args.binary):
            frames.append(first_frame(screen))
            pictures.append(frames[-1] + first_picture(screen))
    for name, times, budget in (("first frame", frames, "≤ 150 ms"), ("first picture of MNIST", pictures, "1 s")):
        middle, least, most = (1000 * f(times) for f in (statistics.median, min, max))
        yield f"| {name} after start, median of {args.runs} ({least:.0f} to {most:.0f}) | {middle:.0f} ms | {budget} |"


def idle_lines(args, screen):
    for name, settings, kept in (
        ("2,000 points in the plane", [], None),
        ("60,000 points in the plane", [], ALL_POINTS),
        ("60,000 points on the sphere", SPHERE, ALL_POINTS),
    ):
        with window(args.binary, *settings, kept=kept) as program:
            first_picture(screen)
            time.sleep(3)
            press("space")
            time.sleep(4)  # by then all points are at the last step, and the plane rests
            before = cpu_seconds(program)
            time.sleep(args.seconds)
            share = (cpu_seconds(program) - before) / args.seconds
            memory, most = resident_mb(program), resident_mb(program, "VmHWM")
            yield f"| paused for {args.seconds:g} s, {name} | {share:.2%} of a core | < 1% |"
            yield f"| memory there, and at most | {memory:.0f} and {most:.0f} MB | < 400 MB |"


def training_lines(args, screen):
    for threads in (1, 2):
        with window(args.binary, threads=threads) as program:
            first_picture(screen)
            time.sleep(2)
            start_step, start = saved_step(program, 0)
            time.sleep(args.seconds)
            end_step, end = saved_step(program, 1)
            shown = (end_step - start_step) / (end - start)
        n_steps = end_step - start_step
        command = [args.binary, "train", "--threads", str(threads), "--steps", str(n_steps), "--json"]
        found = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds = float(re.search(r'"seconds":\s*([\d.]+)', found.stdout)[1])
        headless = n_steps / seconds
        yield f"| steps a second, {threads} thread(s): window, headless, share with probing (a tenth) | {shown:.1f}, {headless:.1f}, {shown / headless:.0%} | reported |"


CIRCLE = ["--loss", "arcface", "--set", "view.kind=circle"]
SPHERE = ["--loss", "arcface", "--dim", "3"]
# All training samples of MNIST, as the list on the left chooses them.
ALL_POINTS = "(subset:Train(60000))"
SHOTS = {
    "plane-2000": ([], None),
    "circle-2000": (CIRCLE, None),
    "sphere-2000": (SPHERE, None),
    "plane-60000": ([], ALL_POINTS),
    "circle-60000": (CIRCLE, ALL_POINTS),
    "sphere-60000": (SPHERE, ALL_POINTS),
}


def save_shots(args, screen):
    """Both themes of every view, with few and many points."""
    args.shots.mkdir(parents=True, exist_ok=True)
    for name, (settings, kept) in SHOTS.items():
        with window(args.binary, *settings, kept=kept):
            first_picture(screen)
            time.sleep(6)
            press("space")
            time.sleep(2)
            for theme in ("first", "other"):
                time.sleep(1.5)
                subprocess.run(["import", "-window", "root", str(args.shots / f"{name}-{theme}.png")], check=True)
                press("t")


def main():
    args = options()
    with display() as screen:
        if args.shots:
            save_shots(args, screen)
            return
        print("| the real window, software OpenGL | measured | budget |")
        print("|---|---:|---:|")
        for lines in (start_lines, idle_lines, training_lines):
            for line in lines(args, screen):
                print(line, flush=True)


if __name__ == "__main__":
    main()
