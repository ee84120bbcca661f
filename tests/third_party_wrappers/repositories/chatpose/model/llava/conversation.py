"""Stands in for LLaVA's conversations."""


class Conversation:
    roles = ("USER", "ASSISTANT")

    def __init__(self):
        self.messages = [("USER", "an example that must not be asked again")]

    def copy(self):
        made = Conversation()
        made.messages = list(self.messages)
        return made

    def append_message(self, role, message):
        self.messages.append([role, message])

    def get_prompt(self):
        return "A chat. " + " ".join(f"{role}: {message}" if message else f"{role}:" for role, message in self.messages)


conv_templates = {"llava_v1": Conversation()}
