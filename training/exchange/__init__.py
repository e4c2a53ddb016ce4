"""Exchange: `infant-arm import` makes data sets of recordings, `infant-arm export` writes data sets for other libraries."""
