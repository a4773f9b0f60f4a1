"""The numbers of what can be gone to: the lists of a store, and the tabs of the inspector."""

IMAGES, BLOBS, PROBLEMS, TRASH = range(4)

OVERVIEW, LAYERS, FILES, DOCUMENT, BYTES, METADATA, RELATIONS, ANNOTATIONS = range(8)
