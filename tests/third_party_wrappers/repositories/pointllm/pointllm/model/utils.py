class KeywordsStoppingCriteria:
    def __init__(self, keywords, tokenizer, input_ids):
        assert input_ids.ndim == 2
        self.keywords = keywords
