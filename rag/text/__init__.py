"""Text as Viva sees it: blocks, sentences, word pieces and words, with exact offsets."""
