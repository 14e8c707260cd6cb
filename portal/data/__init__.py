"""Page 4: looking through tables, maps, exports, and everything known of one point."""
