//! A scene to files, one file per format.
