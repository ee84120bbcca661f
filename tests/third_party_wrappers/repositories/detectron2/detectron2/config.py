from types import SimpleNamespace


class Node(SimpleNamespace):
    def merge_from_file(self, path):
        self.MODEL = SimpleNamespace(ROI_HEADS=SimpleNamespace())


def get_cfg():
    return Node()
