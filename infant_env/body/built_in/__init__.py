"""The bodies that this package builds itself: one file each, and the table of them."""
