from enum import Enum
from types import SimpleNamespace

SeparatorStyle = Enum("SeparatorStyle", ["SINGLE", "TWO", "MPT"])


class Conversation(SimpleNamespace):
    def copy(self):
        return Conversation(**{**vars(self), "messages": list(self.messages)})

    def reset(self):
        self.messages = []

    def append_message(self, role, message):
        self.messages.append([role, message])

    def pop_last_none_message(self):
        if self.messages[-1][1] is None:
            self.messages.pop()

    def get_prompt(self):
        ends = self.sep, self.sep2
        told = [f"{role}: {text}{ends[k % 2]}" if text else f"{role}:" for k, (role, text) in enumerate(self.messages)]
        return self.system + self.sep + "".join(told)


conv_templates = {
    "vicuna_v1_1": Conversation(
        system="talk", roles=("USER", "ASSISTANT"), messages=[], sep_style=SeparatorStyle.TWO, sep=" ", sep2="</s>"
    )
}
