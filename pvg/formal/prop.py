"""The embedded database: propositional calculus in 298 theorems, and which of them are kept aside for tests.

Attributes:
    PATH: of ``prop.mm``, beside this file.
    TEST: labels of the theorems that no proof of the database uses, of every section and size.  None is an instance of
        another assertion, and no step of another theorem's proof is as strong as one of them.  The others are for
        training.
"""

from pathlib import Path

PATH = Path(__file__).with_suffix(".mm")
TEST = tuple(
    """
    contract-end chain-three thrice rotate both-ways diamond merge-antecedents
    tollens-d tollens-neg reductio-neg cases-chain either-imp linear meredith-c
    and-chain and-tollens and-exchange and-distribute and-both refuted-and antilogism
    excluded-middle or-rest-left or-by-and split-case dilemma-neg or-square and-source consensus dilemma-and
    iff-trans-back true-iff iff-imp or-over-and-iff and-over-or-left imp-and-iff iff-agree iff-cancel and-iff-under
    iff-single golden majority meredith
    """.split()
)
