"""What the bytes of each file format say before anything is decoded, and whether the file is whole."""
