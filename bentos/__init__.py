"""The HTTP service: what it answers, how it is packaged into a Bento and an image, and how it is run."""
