//! Data sets and their readers, one file per format.
