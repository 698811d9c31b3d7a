"""Values that flow through faced, their protobuf form, and the bridge between the two."""
