"""Features: logic once, as Ibis expressions; point in time by construction; stored and served by Feast."""
