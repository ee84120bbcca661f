CALLED = []


def disable_torch_init():
    CALLED.append(True)
