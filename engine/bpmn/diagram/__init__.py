"""What BPMN diagrams are made of: the scene, its geometry, its glyphs and its labels."""
