def get_config_file(path):
    assert path.startswith("COCO-Detection/")
    return path
