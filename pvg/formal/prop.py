"""The embedded database: propositional calculus in some 300 theorems, and which are kept aside for tests.

Attributes:
    PATH: of ``prop.mm``, beside this file.
    TEST: labels of the theorems that no proof of the database uses, of every section and size.  None is an instance of
        another assertion, and no step of another theorem's proof is as strong as one of them.  The others are for
        training.
"""

from pathlib import Path

PATH = Path(__file__).with_suffix(".mm")
_TEST = """
    chain-three contract-end both-ways thrice rotate diamond merge-antecedents tollens-neg tollens-d reductio-neg
    by-cases-chain either-imp linear meredith-imp and-tollens and-chain and-exchange and-both and-distribute
    refuted-and antilogism excluded-middle or-rest-left dilemma-neg or-square or-by-and and-source consensus-or
    split-case dilemma-and iff-trans-back true-iff iff-imp or-over-and-iff and-over-or-left imp-and-iff iff-agree
    iff-cancel and-iff-under iff-single golden majority meredith-all
"""
TEST = tuple(_TEST.split())
