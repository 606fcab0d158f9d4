//! Angles, circles, spheres, regular configurations, exact decision regions and margin curves.
