"""Wave presets: what a dump holds, and the GTKWave save file that shows it in words."""
