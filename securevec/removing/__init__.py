"""What is removed: records (``delete``, ``batch``, ``points``), a whole tenant (``tenant``), what a crash left behind
(``recover``)."""
