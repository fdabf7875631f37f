"""Pictures of architectures and spaces as SVG, HTML and text."""
