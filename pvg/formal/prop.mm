$( Propositional calculus, from modus ponens, three axioms for implication
   and negation, and definitions of conjunction, disjunction and
   biconditional.  tools/prop.py wrote this file from tools/prop.txt;
   pvg/formal/prop.py names the theorems kept aside for tests. $)

$c ( ) -> -. /\ \/ <-> wff |- $.

$v ph ps ch th ta $.

v-ph $f wff ph $.
v-ps $f wff ps $.
v-ch $f wff ch $.
v-th $f wff th $.
v-ta $f wff ta $.

$( not $)
w-not $a wff -. ph $.

$( if ... then ... $)
w-imp $a wff ( ph -> ps ) $.

$( ... and ... $)
w-and $a wff ( ph /\ ps ) $.

$( ... or ..., or both $)
w-or $a wff ( ph \/ ps ) $.

$( ... if and only if ... $)
w-iff $a wff ( ph <-> ps ) $.

$( ---- Implication ---- $)

${
  mp.1 $e |- ph $.
  mp.2 $e |- ( ph -> ps ) $.
  $( Modus ponens, the one rule. $)
  mp $a |- ps $.
$}

$( What holds follows from anything. $)
ax-k $a |- ( ph -> ( ps -> ph ) ) $.

$( An antecedent distributes over an implication. $)
ax-s $a |- ( ( ph -> ( ps -> ch ) ) -> ( ( ph -> ps ) -> ( ph -> ch ) ) ) $.

$( What only a falsehood would refute can be turned around (Lukasiewicz). $)
ax-n $a |- ( ( -. ph -> -. ps ) -> ( ps -> ph ) ) $.

${
  weaken-r.1 $e |- ph $.
  $( Put an antecedent before what holds. $)
  weaken-r $p |- ( ps -> ph ) $=
    ( w-imp ax-k mp ) ABADCABEF $.
$}

${
  distribute-r.1 $e |- ( ph -> ( ps -> ch ) ) $.
  $( Rule form of ~ ax-s . $)
  distribute-r $p |- ( ( ph -> ps ) -> ( ph -> ch ) ) $=
    ( w-imp ax-s mp ) ABCEEABEACEEDABCFG $.
$}

${
  mp-two.1 $e |- ph $.
  mp-two.2 $e |- ps $.
  mp-two.3 $e |- ( ph -> ( ps -> ch ) ) $.
  $( Modus ponens twice. $)
  mp-two $p |- ch $=
    ( mp w-imp ) BCEABCHDFGG $.
$}

${
  mp-d.1 $e |- ( ph -> ps ) $.
  mp-d.2 $e |- ( ph -> ( ps -> ch ) ) $.
  $( Modus ponens under an antecedent. $)
  mp-d $p |- ( ph -> ch ) $=
    ( w-imp distribute-r mp ) ABFACFDABCEGH $.
$}

${
  chain-r.1 $e |- ( ph -> ps ) $.
  chain-r.2 $e |- ( ps -> ch ) $.
  $( Syllogism: two implications make one. $)
  chain-r $p |- ( ph -> ch ) $=
    ( w-imp weaken-r mp-d ) ABCDBCFAEGH $.
$}

$( Everything implies itself. $)
refl $p |- ( ph -> ph ) $=
  ( w-imp ax-k mp-d ) AAABZAAACAECD $.

$( Anything implies that a statement implies itself. $)
refl-under $p |- ( ph -> ( ps -> ps ) ) $=
  ( w-imp refl weaken-r ) BBCABDE $.

${
  weaken-d.1 $e |- ( ph -> ps ) $.
  $( Put an antecedent between the two sides of an implication. $)
  weaken-d $p |- ( ph -> ( ch -> ps ) ) $=
    ( w-imp ax-k chain-r ) ABCBEDBCFG $.
$}

${
  mp-inner.1 $e |- ps $.
  mp-inner.2 $e |- ( ph -> ( ps -> ch ) ) $.
  $( Take away a second antecedent that holds. $)
  mp-inner $p |- ( ph -> ch ) $=
    ( weaken-r mp-d ) ABCBADFEG $.
$}

${
  swap-r.1 $e |- ( ph -> ( ps -> ch ) ) $.
  $( Two antecedents may change places. $)
  swap-r $p |- ( ps -> ( ph -> ch ) ) $=
    ( w-imp ax-k distribute-r chain-r ) BABEACEBAFABCDGH $.
$}

$( Both sides of an implication take the same antecedent. $)
prefix $p |- ( ( ps -> ch ) -> ( ( ph -> ps ) -> ( ph -> ch ) ) ) $=
  ( w-imp ax-k ax-s chain-r ) BCDZAHDABDACDDHAEABCFG $.

${
  prefix-r.1 $e |- ( ps -> ch ) $.
  $( Rule form of ~ prefix . $)
  prefix-r $p |- ( ( ph -> ps ) -> ( ph -> ch ) ) $=
    ( w-imp weaken-r distribute-r ) ABCBCEADFG $.
$}

$( Closed syllogism; the same consequent turns an implication around. $)
suffix $p |- ( ( ph -> ps ) -> ( ( ps -> ch ) -> ( ph -> ch ) ) ) $=
  ( w-imp prefix swap-r ) BCDABDACDABCEF $.

${
  suffix-r.1 $e |- ( ph -> ps ) $.
  $( Rule form of ~ suffix . $)
  suffix-r $p |- ( ( ps -> ch ) -> ( ph -> ch ) ) $=
    ( w-imp suffix mp ) ABEBCEACEEDABCFG $.
$}

$( Two antecedents may change places, closed form. $)
swap $p |- ( ( ph -> ( ps -> ch ) ) -> ( ps -> ( ph -> ch ) ) ) $=
  ( w-imp ax-s ax-k suffix-r chain-r ) ABCDDABDZACDZDBJDABCEBIJBAFGH $.

$( Modus ponens as an implication. $)
assert $p |- ( ph -> ( ( ph -> ps ) -> ps ) ) $=
  ( w-imp refl swap-r ) ABCZABFDE $.

${
  assert-r.1 $e |- ph $.
  $( Whatever a truth implies holds. $)
  assert-r $p |- ( ( ph -> ps ) -> ps ) $=
    ( w-imp assert mp ) AABDBDCABEF $.
$}

$( Modus ponens under an antecedent, as an implication. $)
mp-under $p |- ( ( ph -> ps ) -> ( ( ph -> ( ps -> ch ) ) -> ( ph -> ch ) )
    ) $=
  ( w-imp ax-s swap-r ) ABCDDABDACDABCEF $.

$( The same antecedent need not be said twice (Hilbert). $)
contract $p |- ( ( ph -> ( ph -> ps ) ) -> ( ph -> ps ) ) $=
  ( w-imp assert distribute-r ) AABCBABDE $.

${
  contract-r.1 $e |- ( ph -> ( ph -> ps ) ) $.
  $( Rule form of ~ contract . $)
  contract-r $p |- ( ph -> ps ) $=
    ( w-imp contract mp ) AABDZDGCABEF $.
$}

${
  chain-three.1 $e |- ( ph -> ps ) $.
  chain-three.2 $e |- ( ps -> ch ) $.
  chain-three.3 $e |- ( ch -> th ) $.
  $( Three implications make one. $)
  chain-three $p |- ( ph -> th ) $=
    ( chain-r ) ABDEBCDFGHH $.
$}

${
  chain-end.1 $e |- ( ph -> ( ps -> ch ) ) $.
  chain-end.2 $e |- ( ch -> th ) $.
  $( Go on from the end of a double implication. $)
  chain-end $p |- ( ph -> ( ps -> th ) ) $=
    ( w-imp prefix-r chain-r ) ABCGBDGEBCDFHI $.
$}

${
  chain-mid.1 $e |- ( ph -> ps ) $.
  chain-mid.2 $e |- ( ch -> ( ps -> th ) ) $.
  $( Replace the second of two antecedents by a stronger one. $)
  chain-mid $p |- ( ch -> ( ph -> th ) ) $=
    ( w-imp suffix-r chain-r ) CBDGADGFABDEHI $.
$}

${
  chain-d.1 $e |- ( ph -> ( ps -> ch ) ) $.
  chain-d.2 $e |- ( ph -> ( ch -> th ) ) $.
  $( Syllogism under an antecedent. $)
  chain-d $p |- ( ph -> ( ps -> th ) ) $=
    ( w-imp prefix chain-r mp-d ) ABCGZBDGZEACDGKLGFBCDHIJ $.
$}

${
  chain-both.1 $e |- ( ph -> ps ) $.
  chain-both.2 $e |- ( ph -> ch ) $.
  chain-both.3 $e |- ( ps -> ( ch -> th ) ) $.
  $( One antecedent provides for two. $)
  chain-both $p |- ( ph -> th ) $=
    ( w-imp chain-r mp-d ) ACDFABCDHEGIJ $.
$}

${
  chain-apart.1 $e |- ( ph -> ps ) $.
  chain-apart.2 $e |- ( ch -> th ) $.
  chain-apart.3 $e |- ( ps -> ( th -> ta ) ) $.
  $( Two antecedents are each replaced by a stronger one. $)
  chain-apart $p |- ( ph -> ( ch -> ta ) ) $=
    ( w-imp chain-mid chain-r ) ABCEIFCDBEGHJK $.
$}

${
  prefix-d.1 $e |- ( ph -> ( ps -> ch ) ) $.
  $( ~ prefix under an antecedent. $)
  prefix-d $p |- ( ph -> ( ( th -> ps ) -> ( th -> ch ) ) ) $=
    ( w-imp prefix chain-r ) ABCFDBFDCFFEDBCGH $.
$}

${
  suffix-d.1 $e |- ( ph -> ( ps -> ch ) ) $.
  $( ~ suffix under an antecedent. $)
  suffix-d $p |- ( ph -> ( ( ch -> th ) -> ( ps -> th ) ) ) $=
    ( w-imp suffix chain-r ) ABCFCDFBDFFEBCDGH $.
$}

${
  swap-d.1 $e |- ( ph -> ( ps -> ( ch -> th ) ) ) $.
  $( The second and third of three antecedents change places. $)
  swap-d $p |- ( ph -> ( ch -> ( ps -> th ) ) ) $=
    ( w-imp swap chain-r ) ABCDFFCBDFFEBCDGH $.
$}

${
  rotate-r.1 $e |- ( ph -> ( ps -> ( ch -> th ) ) ) $.
  $( The first of three antecedents becomes the last. $)
  rotate-r $p |- ( ps -> ( ch -> ( ph -> th ) ) ) $=
    ( w-imp swap-r swap-d ) BACDABCDFEGH $.
$}

${
  mp-third.1 $e |- ( ph -> ( ps -> ch ) ) $.
  mp-third.2 $e |- ( ph -> ( ps -> ( ch -> th ) ) ) $.
  $( Modus ponens under two antecedents. $)
  mp-third $p |- ( ph -> ( ps -> th ) ) $=
    ( w-imp ax-s chain-both ) ABCDGGBCGBDGFEBCDHI $.
$}

${
  contract-d.1 $e |- ( ph -> ( ps -> ( ps -> ch ) ) ) $.
  $( ~ contract under an antecedent. $)
  contract-d $p |- ( ph -> ( ps -> ch ) ) $=
    ( w-imp contract chain-r ) ABBCEZEHDBCFG $.
$}

${
  contract-end.1 $e |- ( ph -> ( ps -> ( ph -> ch ) ) ) $.
  $( A third antecedent that repeats the first can go. $)
  contract-end $p |- ( ph -> ( ps -> ch ) ) $=
    ( w-imp swap-d contract-r ) ABCEABACDFG $.
$}

$( What holds follows from any two statements. $)
weaken-two $p |- ( ph -> ( ps -> ( ch -> ph ) ) ) $=
  ( w-imp ax-k weaken-d ) ACADBACEF $.

$( An implication stays true with one more antecedent. $)
weaken-mid $p |- ( ( ph -> ps ) -> ( ph -> ( ch -> ps ) ) ) $=
  ( w-imp ax-k prefix-r ) ABCBDBCEF $.

$( What follows from an implication follows from its consequent. $)
drop-left $p |- ( ( ( ph -> ps ) -> ch ) -> ( ps -> ch ) ) $=
  ( w-imp ax-k suffix-r ) BABDCBAEF $.

$( An antecedent that is a truth of logic can go. $)
drop-true $p |- ( ( ( ph -> ph ) -> ps ) -> ps ) $=
  ( w-imp refl assert-r ) AACBADE $.

$( The converse of ~ ax-s . $)
undistribute $p |- ( ( ( ph -> ps ) -> ( ph -> ch ) ) -> ( ph -> ( ps -> ch
    ) ) ) $=
  ( w-imp drop-left swap-d ) ABDACDZDBACABGEF $.

${
  both-ways-r.1 $e |- ( ph -> ps ) $.
  both-ways-r.2 $e |- ( ch -> th ) $.
  $( Strengthen the antecedent and weaken the consequent. $)
  both-ways-r $p |- ( ( ps -> ch ) -> ( ph -> th ) ) $=
    ( w-imp suffix-r chain-end ) BCGACDABCEHFI $.
$}

$( Closed form of ~ both-ways-r . $)
both-ways $p |- ( ( ph -> ps ) -> ( ( ch -> th ) -> ( ( ps -> ch ) -> ( ph
    -> th ) ) ) ) $=
  ( w-imp prefix suffix prefix-d chain-mid )
  CDEBCEZBDEZEABEZJADEZEBCDFLKMJABDGHI $.

${
  chain-four.1 $e |- ( ph -> ps ) $.
  chain-four.2 $e |- ( ps -> ch ) $.
  chain-four.3 $e |- ( ch -> th ) $.
  chain-four.4 $e |- ( th -> ta ) $.
  $( Four implications make one. $)
  chain-four $p |- ( ph -> ta ) $=
    ( w-imp both-ways-r chain-end mp ) BCJZAEJGNADEABCDFHKILM $.
$}

$( Three conclusions are as good as one. $)
thrice $p |- ( ( ( ( ph -> ps ) -> ps ) -> ps ) -> ( ph -> ps ) ) $=
  ( w-imp assert suffix-r ) AABCBCBABDE $.

$( The second and third of three antecedents change places, closed form. $)
swap-deep $p |- ( ( ph -> ( ps -> ( ch -> th ) ) ) -> ( ph -> ( ch -> ( ps
    -> th ) ) ) ) $=
  ( w-imp swap prefix-r ) ABCDEECBDEEBCDFG $.

$( The third of three antecedents comes first. $)
rotate $p |- ( ( ph -> ( ps -> ( ch -> th ) ) ) -> ( ch -> ( ph -> ( ps ->
    th ) ) ) ) $=
  ( w-imp swap-deep swap-d ) ABCDEEEACBDEABCDFG $.

$( Go on from the end of a double implication, closed form. $)
mp-deep $p |- ( ( ph -> ( ps -> ch ) ) -> ( ( ch -> th ) -> ( ph -> ( ps ->
    th ) ) ) ) $=
  ( w-imp prefix prefix-d swap-r ) CDEZABCEZEABDEZEIJKABCDFGH $.

$( One antecedent provides for two, closed form. $)
diamond $p |- ( ( ph -> ps ) -> ( ( ph -> ch ) -> ( ( ps -> ( ch -> th ) )
    -> ( ph -> th ) ) ) ) $=
  ( w-imp mp-under suffix suffix-d chain-mid )
  ACEACDEZEZADEZEABEZBJEZLEACDFMNKLABJGHI $.

$( An antecedent said before and after another is said once. $)
merge-antecedents $p |- ( ( ph -> ( ps -> ( ph -> ch ) ) ) -> ( ps -> ( ph
    -> ch ) ) ) $=
  ( w-imp swap-deep contract-d swap-d ) ABACDDDZABCHABCDABACEFG $.

$( ---- Negation ---- $)

${
  contrary-r.1 $e |- ( -. ph -> -. ps ) $.
  $( Rule form of ~ ax-n . $)
  contrary-r $p |- ( ps -> ph ) $=
    ( w-not w-imp ax-n mp ) ADBDEBAECABFG $.
$}

${
  contrary-d.1 $e |- ( ph -> ( -. ps -> -. ch ) ) $.
  $( ~ ax-n under an antecedent. $)
  contrary-d $p |- ( ph -> ( ch -> ps ) ) $=
    ( w-not w-imp ax-n chain-r ) ABECEFCBFDBCGH $.
$}

$( From a statement and its denial anything follows. $)
explode $p |- ( -. ph -> ( ph -> ps ) ) $=
  ( w-not ax-k contrary-d ) ACZBAFBCDE $.

$( From a statement and its denial anything follows, the statement first. $)
explode-swap $p |- ( ph -> ( -. ph -> ps ) ) $=
  ( w-not explode swap-r ) ACABABDE $.

${
  explode-r.1 $e |- -. ph $.
  $( What is false implies anything. $)
  explode-r $p |- ( ph -> ps ) $=
    ( w-not weaken-r contrary-r ) BAADBDCEF $.
$}

${
  explode-d.1 $e |- ( ph -> -. ps ) $.
  $( What is false implies anything, under an antecedent. $)
  explode-d $p |- ( ph -> ( ps -> ch ) ) $=
    ( w-not weaken-d contrary-d ) ACBABECEDFG $.
$}

${
  absurd.1 $e |- ph $.
  absurd.2 $e |- -. ph $.
  $( A contradiction proves anything. $)
  absurd $p |- ps $=
    ( explode-r mp ) ABCABDEF $.
$}

${
  absurd-d.1 $e |- ( ph -> ps ) $.
  absurd-d.2 $e |- ( ph -> -. ps ) $.
  $( What leads to a contradiction leads to anything. $)
  absurd-d $p |- ( ph -> ch ) $=
    ( explode-d mp-d ) ABCDABCEFG $.
$}

$( What follows from its own denial holds (Clavius). $)
clavius $p |- ( ( -. ph -> ph ) -> ph ) $=
  ( w-not w-imp explode distribute-r contrary-d contract-r )
  ABZACZAIAIHAIBZAJDEFG $.

${
  clavius-r.1 $e |- ( -. ph -> ph ) $.
  $( Rule form of ~ clavius . $)
  clavius-r $p |- ph $=
    ( w-not w-imp clavius mp ) ACADABAEF $.
$}

$( Two denials cancel. $)
double-drop $p |- ( -. -. ph -> ph ) $=
  ( w-not explode contrary-d contract-r ) ABZBZAGAGFGBCDE $.

$( What holds is not false. $)
double-add $p |- ( ph -> -. -. ph ) $=
  ( w-not double-drop contrary-r ) ABZBAECD $.

${
  double-drop-r.1 $e |- -. -. ph $.
  $( Rule form of ~ double-drop . $)
  double-drop-r $p |- ph $=
    ( w-not double-drop mp ) ACCABADE $.
$}

${
  double-add-r.1 $e |- ph $.
  $( Rule form of ~ double-add . $)
  double-add-r $p |- -. -. ph $=
    ( w-not double-add mp ) AACCBADE $.
$}

${
  double-drop-d.1 $e |- ( ph -> -. -. ps ) $.
  $( ~ double-drop under an antecedent. $)
  double-drop-d $p |- ( ph -> ps ) $=
    ( w-not double-drop chain-r ) ABDDBCBEF $.
$}

${
  double-add-d.1 $e |- ( ph -> ps ) $.
  $( ~ double-add under an antecedent. $)
  double-add-d $p |- ( ph -> -. -. ps ) $=
    ( w-not double-add chain-r ) ABBDDCBEF $.
$}

$( Both sides of an implication may be denied twice. $)
double-imp $p |- ( ( ph -> ps ) -> ( -. -. ph -> -. -. ps ) ) $=
  ( w-not double-drop double-add both-ways-r ) ACCABBCCADBEF $.

$( Contraposition. $)
contra $p |- ( ( ph -> ps ) -> ( -. ps -> -. ph ) ) $=
  ( w-not w-imp double-imp contrary-d ) ABDACBCABEF $.

${
  contra-r.1 $e |- ( ph -> ps ) $.
  $( Rule form of ~ contra . $)
  contra-r $p |- ( -. ps -> -. ph ) $=
    ( w-imp w-not contra mp ) ABDBEAEDCABFG $.
$}

${
  contra-d.1 $e |- ( ph -> ( ps -> ch ) ) $.
  $( Contraposition under an antecedent. $)
  contra-d $p |- ( ph -> ( -. ch -> -. ps ) ) $=
    ( w-imp w-not contra chain-r ) ABCECFBFEDBCGH $.
$}

$( Contraposition of an implication to a denial. $)
contra-pos $p |- ( ( ph -> -. ps ) -> ( ps -> -. ph ) ) $=
  ( w-not w-imp double-drop suffix-r contrary-d ) ABCZDACZBICAHAEFG $.

${
  contra-pos-r.1 $e |- ( ph -> -. ps ) $.
  $( Rule form of ~ contra-pos . $)
  contra-pos-r $p |- ( ps -> -. ph ) $=
    ( w-not w-imp contra-pos mp ) ABDEBADECABFG $.
$}

$( Contraposition of an implication from a denial. $)
contra-neg $p |- ( ( -. ph -> ps ) -> ( -. ps -> ph ) ) $=
  ( w-not w-imp double-add prefix-r contrary-d ) ACZBDABCZHBICBEFG $.

${
  contra-neg-r.1 $e |- ( -. ph -> ps ) $.
  $( Rule form of ~ contra-neg . $)
  contra-neg-r $p |- ( -. ps -> ph ) $=
    ( w-not double-add-d contrary-r ) ABDADBCEF $.
$}

${
  contra-neg-d.1 $e |- ( ph -> ( -. ps -> ch ) ) $.
  $( ~ contra-neg under an antecedent. $)
  contra-neg-d $p |- ( ph -> ( -. ch -> ps ) ) $=
    ( w-not w-imp contra-neg chain-r ) ABECFCEBFDBCGH $.
$}

${
  tollens.1 $e |- -. ps $.
  tollens.2 $e |- ( ph -> ps ) $.
  $( Modus tollens. $)
  tollens $p |- -. ph $=
    ( w-not contra-r mp ) BEAECABDFG $.
$}

${
  tollens-neg.1 $e |- -. ps $.
  tollens-neg.2 $e |- ( -. ph -> ps ) $.
  $( Modus tollens for a denied antecedent. $)
  tollens-neg $p |- ph $=
    ( w-not contra-neg-r mp ) BEACABDFG $.
$}

${
  tollens-pos.1 $e |- ps $.
  tollens-pos.2 $e |- ( ph -> -. ps ) $.
  $( Modus tollens for a denied consequent. $)
  tollens-pos $p |- -. ph $=
    ( w-not contra-pos-r mp ) BAECABDFG $.
$}

${
  tollens-d.1 $e |- ( ph -> -. ch ) $.
  tollens-d.2 $e |- ( ph -> ( ps -> ch ) ) $.
  $( Modus tollens under an antecedent. $)
  tollens-d $p |- ( ph -> -. ps ) $=
    ( w-not contra-d mp-d ) ACFBFDABCEGH $.
$}

$( What implies its own denial is false. $)
self-refute $p |- ( ( ph -> -. ph ) -> -. ph ) $=
  ( w-not w-imp contra clavius chain-r ) AABZCGBGCGAGDGEF $.

${
  self-refute-r.1 $e |- ( ph -> -. ph ) $.
  $( Rule form of ~ self-refute . $)
  self-refute-r $p |- -. ph $=
    ( w-not w-imp self-refute mp ) AACZDGBAEF $.
$}

$( What implies a statement and its denial is false. $)
reductio $p |- ( ( ph -> ps ) -> ( ( ph -> -. ps ) -> -. ph ) ) $=
  ( w-not w-imp contra prefix-d self-refute chain-end )
  ABDZABCZDAACZDKIJKAABEFAGH $.

${
  reductio-r.1 $e |- ( ph -> ps ) $.
  reductio-r.2 $e |- ( ph -> -. ps ) $.
  $( Rule form of ~ reductio . $)
  reductio-r $p |- -. ph $=
    ( w-not absurd-d self-refute-r ) AABAECDFG $.
$}

${
  reductio-neg.1 $e |- ( -. ph -> ps ) $.
  reductio-neg.2 $e |- ( -. ph -> -. ps ) $.
  $( What would, if denied, lead to a contradiction holds. $)
  reductio-neg $p |- ph $=
    ( w-not absurd-d clavius-r ) AAEBACDFG $.
$}

$( What follows both from a statement and from its denial holds. $)
by-cases $p |- ( ( ph -> ps ) -> ( ( -. ph -> ps ) -> ps ) ) $=
  ( w-imp w-not contra suffix-d clavius chain-end )
  ABCZADZBCBDZBCBIKJBABEFBGH $.

${
  by-cases-r.1 $e |- ( ph -> ps ) $.
  by-cases-r.2 $e |- ( -. ph -> ps ) $.
  $( Rule form of ~ by-cases . $)
  by-cases-r $p |- ps $=
    ( w-imp mp w-not by-cases ) AGBEZBDABEIBECABHFF $.
$}

${
  by-cases-d.1 $e |- ( ph -> ( ps -> ch ) ) $.
  by-cases-d.2 $e |- ( ph -> ( -. ps -> ch ) ) $.
  $( Proof by cases under an antecedent. $)
  by-cases-d $p |- ( ph -> ch ) $=
    ( w-imp w-not by-cases chain-both ) ABCFBGCFCDEBCHI $.
$}

${
  by-cases-chain.1 $e |- ( ph -> ps ) $.
  by-cases-chain.2 $e |- ( -. ph -> ch ) $.
  by-cases-chain.3 $e |- ( ch -> ps ) $.
  $( Proof by cases, one of them in two steps. $)
  by-cases-chain $p |- ps $=
    ( w-not chain-r by-cases-r ) ABDAGCBEFHI $.
$}

$( Peirce's law, classical logic without a denial. $)
peirce-law $p |- ( ( ( ph -> ps ) -> ph ) -> ph ) $=
  ( w-imp w-not explode suffix-r clavius chain-r ) ABCZACADZACAJIAABEFAGH $.

${
  peirce-law-r.1 $e |- ( ( ph -> ps ) -> ph ) $.
  $( Rule form of ~ peirce-law . $)
  peirce-law-r $p |- ph $=
    ( w-imp peirce-law mp ) ABDADACABEF $.
$}

$( A true antecedent and a false consequent refute an implication. $)
refute $p |- ( ph -> ( -. ps -> -. ( ph -> ps ) ) ) $=
  ( w-imp assert contra-d ) AABCBABDE $.

${
  refute-r.1 $e |- ph $.
  refute-r.2 $e |- -. ps $.
  $( Rule form of ~ refute . $)
  refute-r $p |- -. ( ph -> ps ) $=
    ( w-imp assert-r tollens ) ABEBDABCFG $.
$}

$( The antecedent of a false implication holds. $)
refuted-left $p |- ( -. ( ph -> ps ) -> ph ) $=
  ( w-imp explode contra-neg-r ) AABCABDE $.

$( The consequent of a false implication is false. $)
refuted-right $p |- ( -. ( ph -> ps ) -> -. ps ) $=
  ( w-imp ax-k contra-r ) BABCBADE $.

$( The consequent of a false implication implies anything. $)
refuted-any $p |- ( -. ( ph -> ps ) -> ( ps -> ch ) ) $=
  ( w-imp w-not refuted-right explode-d ) ABDEBCABFG $.

$( The statement whose denial does not follow holds. $)
refuted-deny $p |- ( -. ( ph -> -. ps ) -> ps ) $=
  ( w-not w-imp refuted-right double-drop-d ) ABCZDCBAGEF $.

${
  contra-three.1 $e |- ( ph -> ( ps -> ch ) ) $.
  $( A missing consequence makes its ground imply anything. $)
  contra-three $p |- ( ph -> ( -. ch -> ( ps -> th ) ) ) $=
    ( w-not w-imp contra-d explode chain-end ) ACFBFBDGABCEHBDIJ $.
$}

$( What follows from an implication follows from the antecedent's denial. $)
luka-third $p |- ( ( ( ph -> ps ) -> ch ) -> ( -. ph -> ch ) ) $=
  ( w-not w-imp explode suffix-r ) ADABECABFG $.

$( An implication is used by its two ways to be true. $)
either-imp $p |- ( ( -. ph -> ch ) -> ( ( ps -> ch ) -> ( ( ph -> ps ) -> ch
    ) ) ) $=
  ( w-imp w-not prefix by-cases chain-end swap-d swap-r )
  BCDZAECDZABDZCDKMLCKMACDLCDABCFACGHIJ $.

${
  either-imp-r.1 $e |- ( -. ph -> ch ) $.
  either-imp-r.2 $e |- ( ps -> ch ) $.
  $( Rule form of ~ either-imp . $)
  either-imp-r $p |- ( ( ph -> ps ) -> ch ) $=
    ( w-imp prefix-r w-not weaken-r by-cases-d ) ABFZACABCEGAHCFKDIJ $.
$}

$( What follows from an implication and from its converse holds (Dummett).
   $)
linear $p |- ( ( ( ph -> ps ) -> ch ) -> ( ( ( ps -> ph ) -> ch ) -> ch ) )
    $=
  ( w-imp w-not refuted-any suffix-r by-cases chain-mid )
  BADZCDABDZEZCDKCDCLJCABAFGKCHI $.

$( Peirce's law with a third statement. $)
roll $p |- ( ( ( ph -> ps ) -> ch ) -> ( ( ch -> ph ) -> ph ) ) $=
  ( w-imp suffix peirce-law chain-end ) ABDZCDCADHADAHCAEABFG $.

$( Lukasiewicz's single axiom for implication alone. $)
meredith-imp $p |- ( ( ( ph -> ps ) -> ch ) -> ( ( ch -> ph ) -> ( th -> ph
    ) ) ) $=
  ( w-imp roll weaken-d swap-d ) ABECEZDCAEZAIJAEDABCFGH $.

$( ---- Conjunction ---- $)

$( Definition of `and', first half: the first statement does not refute the
   second.  Definitions are pairs of implications, as these need no
   connective that is not defined yet. $)
def-and $a |- ( ( ph /\ ps ) -> -. ( ph -> -. ps ) ) $.

$( Definition of `and', second half. $)
def-and-back $a |- ( -. ( ph -> -. ps ) -> ( ph /\ ps ) ) $.

$( A conjunction implies its first part. $)
and-left $p |- ( ( ph /\ ps ) -> ph ) $=
  ( w-not w-and w-imp def-and refuted-left chain-r ) ABDABCZECAABFAIGH $.

$( A conjunction implies its second part. $)
and-right $p |- ( ( ph /\ ps ) -> ps ) $=
  ( w-not w-and w-imp def-and refuted-deny chain-r ) ABDABCECBABFABGH $.

${
  and-left-r.1 $e |- ( ph /\ ps ) $.
  $( The first part of a conjunction. $)
  and-left-r $p |- ph $=
    ( w-and and-left mp ) ABDACABEF $.
$}

${
  and-right-r.1 $e |- ( ph /\ ps ) $.
  $( The second part of a conjunction. $)
  and-right-r $p |- ps $=
    ( w-and and-right mp ) ABDBCABEF $.
$}

${
  and-left-d.1 $e |- ( ph -> ( ps /\ ch ) ) $.
  $( The first part of a conjunction, under an antecedent. $)
  and-left-d $p |- ( ph -> ps ) $=
    ( w-and and-left chain-r ) ABCEBDBCFG $.
$}

${
  and-right-d.1 $e |- ( ph -> ( ps /\ ch ) ) $.
  $( The second part of a conjunction, under an antecedent. $)
  and-right-d $p |- ( ph -> ch ) $=
    ( w-and and-right chain-r ) ABCECDBCFG $.
$}

$( Two statements make a conjunction. $)
and-join $p |- ( ph -> ( ps -> ( ph /\ ps ) ) ) $=
  ( w-and w-not w-imp def-and-back contra-neg-r swap-r contrary-d )
  AABCZBJDABDZAKEJABFGHI $.

$( Two statements make a conjunction, the second first. $)
and-join-swap $p |- ( ph -> ( ps -> ( ps /\ ph ) ) ) $=
  ( w-and and-join swap-r ) BABACBADE $.

${
  and-join-r.1 $e |- ph $.
  and-join-r.2 $e |- ps $.
  $( Rule form of ~ and-join . $)
  and-join-r $p |- ( ph /\ ps ) $=
    ( w-and mp w-imp and-join ) BABEZDABIGCABHFF $.
$}

${
  and-join-d.1 $e |- ( ph -> ps ) $.
  and-join-d.2 $e |- ( ph -> ch ) $.
  $( ~ and-join under an antecedent. $)
  and-join-d $p |- ( ph -> ( ps /\ ch ) ) $=
    ( w-and and-join chain-both ) ABCBCFDEBCGH $.
$}

${
  and-first.1 $e |- ( ph -> ch ) $.
  $( What follows from the first part follows from the conjunction. $)
  and-first $p |- ( ( ph /\ ps ) -> ch ) $=
    ( w-and and-left chain-r ) ABEACABFDG $.
$}

${
  and-second.1 $e |- ( ps -> ch ) $.
  $( What follows from the second part follows from the conjunction. $)
  and-second $p |- ( ( ph /\ ps ) -> ch ) $=
    ( w-and and-right chain-r ) ABEBCABFDG $.
$}

${
  import-r.1 $e |- ( ph -> ( ps -> ch ) ) $.
  $( Importation: two antecedents become a conjunction. $)
  import-r $p |- ( ( ph /\ ps ) -> ch ) $=
    ( w-and and-right w-imp and-first mp-d ) ABEBCABFABBCGDHI $.
$}

${
  export-r.1 $e |- ( ( ph /\ ps ) -> ch ) $.
  $( Exportation: a conjunction becomes two antecedents. $)
  export-r $p |- ( ph -> ( ps -> ch ) ) $=
    ( w-and and-join chain-end ) ABABECABFDG $.
$}

$( Importation, closed form. $)
import $p |- ( ( ph -> ( ps -> ch ) ) -> ( ( ph /\ ps ) -> ch ) ) $=
  ( w-imp w-and assert swap-d import-r swap-r ) ABEABCDZDZCABKCDAKBCAJFGHI $.

$( Exportation, closed form. $)
export $p |- ( ( ( ph /\ ps ) -> ch ) -> ( ph -> ( ps -> ch ) ) ) $=
  ( w-and w-imp and-join suffix-d swap-r ) AABDZCEBCEABICABFGH $.

${
  import-d.1 $e |- ( ph -> ( ps -> ( ch -> th ) ) ) $.
  $( Importation under an antecedent. $)
  import-d $p |- ( ph -> ( ( ps /\ ch ) -> th ) ) $=
    ( w-imp w-and import chain-r ) ABCDFFBCGDFEBCDHI $.
$}

${
  export-d.1 $e |- ( ph -> ( ( ps /\ ch ) -> th ) ) $.
  $( Exportation under an antecedent. $)
  export-d $p |- ( ph -> ( ps -> ( ch -> th ) ) ) $=
    ( w-imp w-and export chain-r ) ABCGDFBCDFFEBCDHI $.
$}

$( Modus ponens as one implication from a conjunction. $)
and-mp $p |- ( ( ph /\ ( ph -> ps ) ) -> ps ) $=
  ( w-imp assert import-r ) AABCBABDE $.

$( Modus tollens as one implication from a conjunction. $)
and-tollens $p |- ( ( -. ps /\ ( ph -> ps ) ) -> -. ph ) $=
  ( w-not w-imp contra swap-r import-r ) BCZABDZACZIHJABEFG $.

$( Syllogism as one implication from a conjunction. $)
and-chain $p |- ( ( ( ph -> ps ) /\ ( ps -> ch ) ) -> ( ph -> ch ) ) $=
  ( w-imp suffix import-r ) ABDBCDACDABCEF $.

$( The parts of a conjunction may change places. $)
and-swap $p |- ( ( ph /\ ps ) -> ( ps /\ ph ) ) $=
  ( w-and and-join-swap import-r ) ABBACABDE $.

${
  and-swap-d.1 $e |- ( ph -> ( ps /\ ch ) ) $.
  $( The parts of a conjunction may change places, under an antecedent. $)
  and-swap-d $p |- ( ph -> ( ch /\ ps ) ) $=
    ( w-and and-swap chain-r ) ABCECBEDBCFG $.
$}

${
  and-swap-left.1 $e |- ( ( ph /\ ps ) -> ch ) $.
  $( The parts of a conjunctive antecedent may change places. $)
  and-swap-left $p |- ( ( ps /\ ph ) -> ch ) $=
    ( w-and and-swap chain-r ) BAEABECBAFDG $.
$}

$( A statement may be said twice. $)
and-twice $p |- ( ph -> ( ph /\ ph ) ) $=
  ( w-and and-join contract-r ) AAABAACD $.

${
  and-keep.1 $e |- ( ph -> ps ) $.
  $( Keep the antecedent beside what it implies. $)
  and-keep $p |- ( ph -> ( ph /\ ps ) ) $=
    ( refl and-join-d ) AABADCE $.
$}

${
  and-mono.1 $e |- ( ph -> ps ) $.
  and-mono.2 $e |- ( ch -> th ) $.
  $( Both parts of a conjunction may be weakened. $)
  and-mono $p |- ( ( ph /\ ch ) -> ( ps /\ th ) ) $=
    ( w-and and-first and-second and-join-d ) ACGBDACBEHACDFIJ $.
$}

${
  and-mono-left.1 $e |- ( ph -> ps ) $.
  $( The first part of a conjunction may be weakened. $)
  and-mono-left $p |- ( ( ph /\ ch ) -> ( ps /\ ch ) ) $=
    ( refl and-mono ) ABCCDCEF $.
$}

${
  and-mono-right.1 $e |- ( ph -> ps ) $.
  $( The second part of a conjunction may be weakened. $)
  and-mono-right $p |- ( ( ch /\ ph ) -> ( ch /\ ps ) ) $=
    ( refl and-mono ) CCABCEDF $.
$}

$( The first part of a conjunction may be weakened, closed form. $)
and-mono-closed $p |- ( ( ph -> ps ) -> ( ( ph /\ ch ) -> ( ps /\ ch ) ) )
    $=
  ( w-imp w-and and-join prefix-r import-d ) ABDACBCEZABCIDBCFGH $.

$( Brackets of a conjunction move to the right. $)
and-assoc $p |- ( ( ( ph /\ ps ) /\ ch ) -> ( ph /\ ( ps /\ ch ) ) ) $=
  ( w-and and-first and-right and-join-d and-left )
  ABDZCDZABCDICAABHEJBCICBABFEICFGG $.

$( Brackets of a conjunction move to the left. $)
and-assoc-back $p |- ( ( ph /\ ( ps /\ ch ) ) -> ( ( ph /\ ps ) /\ ch ) ) $=
  ( w-and and-left and-mono-right and-right and-second and-join-d )
  ABCDZDABDCJBABCEFAJCBCGHI $.

$( The first two of three conjuncts change places. $)
and-exchange $p |- ( ( ph /\ ( ps /\ ch ) ) -> ( ps /\ ( ph /\ ch ) ) ) $=
  ( w-and and-left and-second and-right and-mono-right and-join-d )
  ABCDZDBACDAJBBCEFJCABCGHI $.

$( The inner two of four conjuncts change places. $)
and-square $p |- ( ( ( ph /\ ps ) /\ ( ch /\ th ) ) -> ( ( ph /\ ch ) /\ (
    ps /\ th ) ) ) $=
  ( w-and and-left and-mono and-right and-join-d )
  ABEZCDEZEACEBDEJAKCABFCDFGJBKDABHCDHGI $.

$( Two consequents of one antecedent join. $)
and-target $p |- ( ( ( ph -> ps ) /\ ( ph -> ch ) ) -> ( ph -> ( ps /\ ch )
    ) ) $=
  ( w-imp w-and and-right and-join prefix-r and-first mp-third )
  ABDZACDZEACBCEZKLFKLACMDZDABNBCGHIJ $.

$( A conjunctive consequent comes apart. $)
and-target-back $p |- ( ( ph -> ( ps /\ ch ) ) -> ( ( ph -> ps ) /\ ( ph ->
    ch ) ) ) $=
  ( w-and w-imp prefix-r and-left and-right and-join-d )
  ABCDZEABEACEAJBBCGFAJCBCHFI $.

$( Weaken the second part of a conjunction beside the first. $)
and-under $p |- ( ( ph -> ( ps -> ch ) ) -> ( ( ph /\ ps ) -> ( ph /\ ch ) )
    ) $=
  ( w-imp w-and and-join prefix-d distribute-r import-d )
  ABCDZDABACEZAJBKDACKBACFGHI $.

$( Leibniz's `praeclarum theorema': two implications side by side. $)
and-both $p |- ( ( ( ph -> ps ) /\ ( ch -> th ) ) -> ( ( ph /\ ch ) -> ( ps
    /\ th ) ) ) $=
  ( w-imp w-and suffix-r and-left and-first and-right and-second
  and-target export-r chain-both )
  ABEZCDEZFACFZBEZQDEZQBDFEZOPRQABACHGIOPSQCDACJGKRSTQBDLMN $.

$( Conjunction distributes over itself. $)
and-distribute $p |- ( ( ph /\ ( ps /\ ch ) ) -> ( ( ph /\ ps ) /\ ( ph /\
    ch ) ) ) $=
  ( w-and and-twice and-mono-left and-square chain-r )
  ABCDZDAADZIDABDACDDAJIAEFAABCGH $.

$( The law of contradiction. $)
not-both $p |- -. ( ph /\ -. ph ) $=
  ( w-not w-and explode-swap import-r self-refute-r ) AABZCZAGHBZAIDEF $.

$( A contradiction implies anything. $)
and-absurd $p |- ( ( ph /\ -. ph ) -> ps ) $=
  ( w-not w-and not-both explode-r ) AACDBAEF $.

$( Of two statements that do not both hold, the first refutes the second. $)
not-and-imp $p |- ( -. ( ph /\ ps ) -> ( ph -> -. ps ) ) $=
  ( w-not w-imp w-and def-and-back contra-neg-r ) ABCDABEABFG $.

$( The converse of ~ not-and-imp . $)
imp-not-and $p |- ( ( ph -> -. ps ) -> -. ( ph /\ ps ) ) $=
  ( w-and w-not w-imp def-and contra-pos-r ) ABCABDEABFG $.

$( A false first part makes a false conjunction. $)
not-and-left $p |- ( -. ph -> -. ( ph /\ ps ) ) $=
  ( w-and and-left contra-r ) ABCAABDE $.

$( A false second part makes a false conjunction. $)
not-and-right $p |- ( -. ps -> -. ( ph /\ ps ) ) $=
  ( w-and and-right contra-r ) ABCBABDE $.

$( A false implication has a true antecedent and a false consequent. $)
refuted-and $p |- ( -. ( ph -> ps ) -> ( ph /\ -. ps ) ) $=
  ( w-not w-imp refuted-left refuted-right and-join-d ) ABDCABCABEABFG $.

$( The converse of ~ refuted-and . $)
and-refuted $p |- ( ( ph /\ -. ps ) -> -. ( ph -> ps ) ) $=
  ( w-not w-imp refute import-r ) ABCABDCABEF $.

${
  antilogism.1 $e |- ( ( ph /\ ps ) -> ch ) $.
  $( A syllogism whose conclusion fails has a false premise. $)
  antilogism $p |- ( ( ph /\ -. ch ) -> -. ps ) $=
    ( w-not export-r contra-d import-r ) ACEBEABCABCDFGH $.
$}

$( What implies a statement and its denial is false, from a conjunction. $)
and-reductio $p |- ( ( ( ph -> ps ) /\ ( ph -> -. ps ) ) -> -. ph ) $=
  ( w-imp w-not reductio import-r ) ABCABDCADABEF $.

${
  and-cases.1 $e |- ( ( ph /\ ps ) -> ch ) $.
  and-cases.2 $e |- ( ( ph /\ -. ps ) -> ch ) $.
  $( Proof by cases, each beside the common assumption. $)
  and-cases $p |- ( ph -> ch ) $=
    ( export-r w-not by-cases-d ) ABCABCDFABGCEFH $.
$}

$( ---- Disjunction ---- $)

$( Definition of `or', first half: if not the first, then the second. $)
def-or $a |- ( ( ph \/ ps ) -> ( -. ph -> ps ) ) $.

$( Definition of `or', second half. $)
def-or-back $a |- ( ( -. ph -> ps ) -> ( ph \/ ps ) ) $.

$( A disjunction follows from its first part. $)
or-left $p |- ( ph -> ( ph \/ ps ) ) $=
  ( w-not w-imp w-or explode-swap def-or-back chain-r ) AACBDABEABFABGH $.

$( A disjunction follows from its second part. $)
or-right $p |- ( ps -> ( ph \/ ps ) ) $=
  ( w-imp w-or w-not def-or-back drop-left mp ) AEZBCABDZCBJCABFIBJGH $.

${
  or-left-r.1 $e |- ph $.
  $( Rule form of ~ or-left . $)
  or-left-r $p |- ( ph \/ ps ) $=
    ( w-or or-left mp ) AABDCABEF $.
$}

${
  or-right-r.1 $e |- ps $.
  $( Rule form of ~ or-right . $)
  or-right-r $p |- ( ph \/ ps ) $=
    ( w-or or-right mp ) BABDCABEF $.
$}

${
  or-left-d.1 $e |- ( ph -> ps ) $.
  $( ~ or-left under an antecedent. $)
  or-left-d $p |- ( ph -> ( ps \/ ch ) ) $=
    ( w-or or-left chain-r ) ABBCEDBCFG $.
$}

${
  or-right-d.1 $e |- ( ph -> ch ) $.
  $( ~ or-right under an antecedent. $)
  or-right-d $p |- ( ph -> ( ps \/ ch ) ) $=
    ( w-or or-right chain-r ) ACBCEDBCFG $.
$}

$( A statement or its denial holds. $)
excluded-middle $p |- ( ph \/ -. ph ) $=
  ( w-not w-or w-imp def-or-back drop-true mp ) ABZHDAHCZDIAHEHIFG $.

${
  or-intro-neg.1 $e |- ( -. ph -> ps ) $.
  $( To prove a disjunction, deny its first part and prove the second. $)
  or-intro-neg $p |- ( ph \/ ps ) $=
    ( w-not w-imp w-or def-or-back mp ) ADBEABFCABGH $.
$}

${
  or-rest.1 $e |- -. ph $.
  or-rest.2 $e |- ( ph \/ ps ) $.
  $( Disjunctive syllogism: without the first part, the second. $)
  or-rest $p |- ps $=
    ( w-not mp w-or w-imp def-or ) AEZBCABGJBHDABIFF $.
$}

${
  or-rest-left.1 $e |- -. ps $.
  or-rest-left.2 $e |- ( ph \/ ps ) $.
  $( Disjunctive syllogism: without the second part, the first. $)
  or-rest-left $p |- ph $=
    ( w-not w-or mp w-imp def-or contra-neg-d ) BEZACABFZKAHDLABABIJGG $.
$}

${
  or-rest-d.1 $e |- ( ph -> -. ps ) $.
  or-rest-d.2 $e |- ( ph -> ( ps \/ ch ) ) $.
  $( Disjunctive syllogism under an antecedent. $)
  or-rest-d $p |- ( ph -> ch ) $=
    ( w-or w-not def-or chain-both ) ABCFBGCEDBCHI $.
$}

${
  or-cases.1 $e |- ( ph -> ch ) $.
  or-cases.2 $e |- ( ps -> ch ) $.
  $( What follows from both parts follows from the disjunction. $)
  or-cases $p |- ( ( ph \/ ps ) -> ch ) $=
    ( w-or w-imp weaken-r w-not def-or chain-end by-cases-d )
    ABFZACACGMDHMAIBCABJEKL $.
$}

${
  or-cases-r.1 $e |- ( ph \/ ps ) $.
  or-cases-r.2 $e |- ( ph -> ch ) $.
  or-cases-r.3 $e |- ( ps -> ch ) $.
  $( Proof by cases from a disjunction. $)
  or-cases-r $p |- ch $=
    ( w-or or-cases mp ) ABGCDABCEFHI $.
$}

$( Proof by cases, closed form. $)
or-cases-closed $p |- ( ( ph -> ch ) -> ( ( ps -> ch ) -> ( ( ph \/ ps ) ->
    ch ) ) ) $=
  ( w-imp w-or w-not def-or suffix-d swap-r by-cases prefix-d chain-mid )
  BCDZABEZAFZCDZDACDZNCDNMPNOBCABGHIQPCNACJKL $.

${
  or-cases-d.1 $e |- ( ph -> ( ps -> th ) ) $.
  or-cases-d.2 $e |- ( ph -> ( ch -> th ) ) $.
  $( Proof by cases under an antecedent. $)
  or-cases-d $p |- ( ph -> ( ( ps \/ ch ) -> th ) ) $=
    ( swap-r w-or w-imp or-cases ) BCHADBCADIABDEGACDFGJG $.
$}

$( The parts of a disjunction may change places. $)
or-swap $p |- ( ( ph \/ ps ) -> ( ps \/ ph ) ) $=
  ( w-or or-right or-left or-cases ) ABBACBADBAEF $.

${
  or-swap-r.1 $e |- ( ph \/ ps ) $.
  $( Rule form of ~ or-swap . $)
  or-swap-r $p |- ( ps \/ ph ) $=
    ( w-or or-swap mp ) ABDBADCABEF $.
$}

$( A disjunction of a statement with itself is that statement. $)
or-twice $p |- ( ( ph \/ ph ) -> ph ) $=
  ( refl or-cases ) AAAABZDC $.

${
  or-mono.1 $e |- ( ph -> ps ) $.
  or-mono.2 $e |- ( ch -> th ) $.
  $( Both parts of a disjunction may be weakened: constructive dilemma. $)
  or-mono $p |- ( ( ph \/ ch ) -> ( ps \/ th ) ) $=
    ( w-or or-left-d or-right-d or-cases ) ACBDGABDEHCBDFIJ $.
$}

${
  or-mono-left.1 $e |- ( ph -> ps ) $.
  $( The first part of a disjunction may be weakened. $)
  or-mono-left $p |- ( ( ph \/ ch ) -> ( ps \/ ch ) ) $=
    ( refl or-mono ) ABCCDCEF $.
$}

${
  or-mono-right.1 $e |- ( ph -> ps ) $.
  $( The second part of a disjunction may be weakened. $)
  or-mono-right $p |- ( ( ch \/ ph ) -> ( ch \/ ps ) ) $=
    ( refl or-mono ) CCABCEDF $.
$}

$( The second part of a disjunction may be weakened, closed form. $)
or-mono-closed $p |- ( ( ph -> ps ) -> ( ( ch \/ ph ) -> ( ch \/ ps ) ) ) $=
  ( w-imp w-or or-left weaken-r or-right prefix-r or-cases-d )
  ABDZCACBEZCLDKCBFGABLCBHIJ $.

${
  dilemma.1 $e |- ( ph \/ ch ) $.
  dilemma.2 $e |- ( ph -> ps ) $.
  dilemma.3 $e |- ( ch -> th ) $.
  $( Constructive dilemma as a rule. $)
  dilemma $p |- ( ps \/ th ) $=
    ( w-or or-mono mp ) ACHBDHEABCDFGIJ $.
$}

${
  dilemma-neg.1 $e |- ( -. ps \/ -. th ) $.
  dilemma-neg.2 $e |- ( ph -> ps ) $.
  dilemma-neg.3 $e |- ( ch -> th ) $.
  $( Destructive dilemma as a rule. $)
  dilemma-neg $p |- ( -. ph \/ -. ch ) $=
    ( w-not w-or contra-r or-mono mp ) BHZDHZIAHZCHZIEMONPABFJCDGJKL $.
$}

$( Brackets of a disjunction move to the right. $)
or-assoc $p |- ( ( ( ph \/ ps ) \/ ch ) -> ( ph \/ ( ps \/ ch ) ) ) $=
  ( w-or or-left or-mono-right or-right or-right-d or-cases )
  ABDCABCDZDBJABCEFCAJBCGHI $.

$( Brackets of a disjunction move to the left. $)
or-assoc-back $p |- ( ( ph \/ ( ps \/ ch ) ) -> ( ( ph \/ ps ) \/ ch ) ) $=
  ( w-or or-left or-left-d or-right or-mono-left or-cases )
  ABCDABDZCDAJCABEFBJCABGHI $.

$( The first two of three disjuncts change places. $)
or-exchange $p |- ( ( ph \/ ( ps \/ ch ) ) -> ( ps \/ ( ph \/ ch ) ) ) $=
  ( w-or or-left or-right-d or-right or-mono-right or-cases )
  ABCDBACDZDABJACEFCJBACGHI $.

$( The inner two of four disjuncts change places. $)
or-square $p |- ( ( ( ph \/ ps ) \/ ( ch \/ th ) ) -> ( ( ph \/ ch ) \/ ( ps
    \/ th ) ) ) $=
  ( w-or or-left or-mono or-right or-cases )
  ABECDEACEZBDEZEAJBKACFBDFGCJDKACHBDHGI $.

$( An implication is a disjunction. $)
imp-or $p |- ( ( ph -> ps ) -> ( -. ph \/ ps ) ) $=
  ( w-not w-or or-left or-right either-imp-r ) ABACZBDHBEHBFG $.

$( The converse of ~ imp-or . $)
or-imp $p |- ( ( -. ph \/ ps ) -> ( ph -> ps ) ) $=
  ( w-not w-or def-or contra-neg-d contrary-d ) ACZBDZBAIHBHBEFG $.

$( A statement follows from any other or implies any other. $)
or-imp-pair $p |- ( ( ph -> ps ) \/ ( ps -> ch ) ) $=
  ( w-imp refuted-any or-intro-neg ) ABDBCDABCEF $.

$( A statement holds or implies anything. $)
or-peirce $p |- ( ph \/ ( ph -> ps ) ) $=
  ( w-imp explode or-intro-neg ) AABCABDE $.

$( Disjunction can be said by implication alone. $)
or-conclude $p |- ( ( ( ph -> ps ) -> ps ) -> ( ph \/ ps ) ) $=
  ( w-imp w-not w-or luka-third def-or-back chain-r ) ABCBCADBCABEABBFABGH $.

$( The converse of ~ or-conclude . $)
conclude-or $p |- ( ( ph \/ ps ) -> ( ( ph -> ps ) -> ps ) ) $=
  ( w-imp assert ax-k or-cases ) ABABCZBCABDBGEF $.

$( A false disjunction has a false first part. $)
not-or-left $p |- ( -. ( ph \/ ps ) -> -. ph ) $=
  ( w-or or-left contra-r ) AABCABDE $.

$( A false disjunction has a false second part. $)
not-or-right $p |- ( -. ( ph \/ ps ) -> -. ps ) $=
  ( w-or or-right contra-r ) BABCABDE $.

$( De Morgan: neither statement holds. $)
de-morgan-or $p |- ( -. ( ph \/ ps ) -> ( -. ph /\ -. ps ) ) $=
  ( w-not w-or not-or-left not-or-right and-join-d ) ABDCACBCABEABFG $.

$( De Morgan: the converse of ~ de-morgan-or . $)
de-morgan-or-back $p |- ( ( -. ph /\ -. ps ) -> -. ( ph \/ ps ) ) $=
  ( w-not w-or def-or swap-r contra-d import-r ) ACZBCABDZCIJBJIBABEFGH $.

$( De Morgan: one of the two does not hold. $)
de-morgan-and $p |- ( -. ( ph /\ ps ) -> ( -. ph \/ -. ps ) ) $=
  ( w-not w-and w-imp w-or not-and-imp imp-or chain-r )
  ABDCABCZEACJFABGAJHI $.

$( De Morgan: the converse of ~ de-morgan-and . $)
de-morgan-and-back $p |- ( ( -. ph \/ -. ps ) -> -. ( ph /\ ps ) ) $=
  ( w-not w-and not-and-left not-and-right or-cases ) ACBCABDCABEABFG $.

$( Conjunction can be said by denial and disjunction. $)
and-by-or $p |- ( -. ( -. ph \/ -. ps ) -> ( ph /\ ps ) ) $=
  ( w-not w-and w-or de-morgan-and contra-neg-r ) ABDACBCEABFG $.

$( Disjunction can be said by denial and conjunction. $)
or-by-and $p |- ( -. ( -. ph /\ -. ps ) -> ( ph \/ ps ) ) $=
  ( w-not w-or w-and de-morgan-or contra-neg-r ) ABDACBCEABFG $.

$( Both is more than one of both. $)
and-or $p |- ( ( ph /\ ps ) -> ( ph \/ ps ) ) $=
  ( w-or or-left and-first ) ABABCABDE $.

$( A statement holds beside its disjunction with any other. $)
absorb-and-back $p |- ( ph -> ( ph /\ ( ph \/ ps ) ) ) $=
  ( w-or or-left and-keep ) AABCABDE $.

$( Absorption of a conjunction. $)
absorb-or $p |- ( ( ph \/ ( ph /\ ps ) ) -> ph ) $=
  ( w-and refl and-left or-cases ) AABCAADABEF $.

$( Conjunction distributes over disjunction. $)
and-over-or $p |- ( ( ph /\ ( ps \/ ch ) ) -> ( ( ph /\ ps ) \/ ( ph /\ ch )
    ) ) $=
  ( w-and w-or export-r or-left or-right or-cases-d import-r )
  ABCEABDZACDZEZABCMABMKLGFACMKLHFIJ $.

$( The converse of ~ and-over-or . $)
and-over-or-back $p |- ( ( ( ph /\ ps ) \/ ( ph /\ ch ) ) -> ( ph /\ ( ps \/
    ch ) ) ) $=
  ( w-and w-or and-mono-right or-left or-right or-cases )
  ABDACDABCEZDBJABCGFCJABCHFI $.

$( Disjunction distributes over conjunction. $)
or-over-and $p |- ( ( ph \/ ( ps /\ ch ) ) -> ( ( ph \/ ps ) /\ ( ph \/ ch )
    ) ) $=
  ( w-and w-or or-mono-right and-left and-right and-join-d )
  ABCDZEABEACEJBABCGFJCABCHFI $.

$( The converse of ~ or-over-and . $)
or-over-and-back $p |- ( ( ( ph \/ ps ) /\ ( ph \/ ch ) ) -> ( ph \/ ( ps /\
    ch ) ) ) $=
  ( w-imp w-or w-and w-not def-or chain-r and-first and-second and-join-d
  and-target def-or-back )
  ABEZACEZFZAGZBCFZDZASEQRBDZRCDZFTQUAUBOPUAABHJOPUBACHKLRBCMIASNI $.

$( Disjunction distributes over implication. $)
or-over-imp $p |- ( ( ph \/ ( ps -> ch ) ) -> ( ( ph \/ ps ) -> ( ph \/ ch )
    ) ) $=
  ( w-or w-imp or-left weaken-d or-mono-closed or-cases )
  ABCEABDZACDZEAKJACFGBCAHI $.

$( A disjunctive consequent comes apart. $)
imp-over-or $p |- ( ( ph -> ( ps \/ ch ) ) -> ( ( ph -> ps ) \/ ( ph -> ch )
    ) ) $=
  ( w-imp w-or ax-k w-not explode or-left-d or-mono either-imp-r )
  ABCEABDZACDZEAGLMABHIBLCMBAFCAFJK $.

$( The converse of ~ imp-over-or . $)
imp-over-or-back $p |- ( ( ( ph -> ps ) \/ ( ph -> ch ) ) -> ( ph -> ( ps \/
    ch ) ) ) $=
  ( w-imp w-or prefix-r or-left or-right or-cases )
  ABDACDABCEZDABJBCGFACJBCHFI $.

$( Two antecedents of one consequent join. $)
or-source $p |- ( ( ( ph -> ch ) /\ ( ps -> ch ) ) -> ( ( ph \/ ps ) -> ch )
    ) $=
  ( w-imp w-or or-cases-closed import-r ) ACDBCDABECDABCFG $.

$( A disjunctive antecedent comes apart. $)
or-source-back $p |- ( ( ( ph \/ ps ) -> ch ) -> ( ( ph -> ch ) /\ ( ps ->
    ch ) ) ) $=
  ( w-or w-imp suffix-r or-left or-right and-join-d )
  ABDZCEACEBCEAJCABGFBJCABHFI $.

$( What follows from two statements together follows from one of them,
   whichever it may be. $)
and-source $p |- ( ( ( ph /\ ps ) -> ch ) -> ( ( ph -> ch ) \/ ( ps -> ch )
    ) ) $=
  ( w-imp w-not swap-r w-and w-or export contra-three contra-neg-d
  def-or-back chain-r ) ABGCDZACDZEZBCDZDOQHPNQNPQNQONAQCABCIJKFFOQLM $.

$( Robinson's resolution: a statement and its denial cancel. $)
resolve $p |- ( ( ( ph \/ ps ) /\ ( -. ph \/ ch ) ) -> ( ps \/ ch ) ) $=
  ( w-or w-not w-imp chain-end w-and or-imp or-right and-second def-or
  or-left and-first by-cases-d )
  ABDZAEZCDZHABCDZPRASFRACSACIBCJGKPRQSFPQBSABLBCMGNO $.

${
  resolve-r.1 $e |- ( ph \/ ps ) $.
  resolve-r.2 $e |- ( -. ph \/ ch ) $.
  $( Resolution as a rule. $)
  resolve-r $p |- ( ps \/ ch ) $=
    ( w-or w-not w-and and-join-r resolve mp ) ABFZAGCFZHBCFLMDEIABCJK $.
$}

$( The consensus of two conjunctions implies their disjunction. $)
consensus-or $p |- ( ( ps /\ ch ) -> ( ( ph /\ ps ) \/ ( -. ph /\ ch ) ) )
    $=
  ( w-and w-not w-or and-mono-right export-r w-imp and-left or-left-d
  and-right or-right-d by-cases-r )
  ABCDZABDZAEZCDZFZIAOSAODPROBABCJGKHQOSQODPROCQBCLGMHN $.

$( A statement holds with another or without it. $)
split-case $p |- ( ph -> ( ( ph /\ ps ) \/ ( ph /\ -. ps ) ) ) $=
  ( w-and w-not w-or or-left or-right and-cases ) ABABCZABDCZEIJFIJGH $.

$( Constructive dilemma, closed form. $)
dilemma-and $p |- ( ( ( ph -> ps ) /\ ( ch -> th ) ) -> ( ( ph \/ ch ) -> (
    ps \/ th ) ) ) $=
  ( w-imp w-or prefix-r w-and or-left and-first or-right and-second
  or-cases-d ) ABEZCDEZHACBDFZNOAPEABPBDIGJNOCPECDPBDKGLM $.

$( ---- Biconditional ---- $)

$( Definition of `if and only if', first half: implication both ways. $)
def-iff $a |- ( ( ph <-> ps ) -> ( ( ph -> ps ) /\ ( ps -> ph ) ) ) $.

$( Definition of `if and only if', second half. $)
def-iff-back $a |- ( ( ( ph -> ps ) /\ ( ps -> ph ) ) -> ( ph <-> ps ) ) $.

$( A biconditional implies the implication forward. $)
iff-forth $p |- ( ( ph <-> ps ) -> ( ph -> ps ) ) $=
  ( w-imp w-iff def-iff and-left-d ) ABDABCBACABEF $.

$( A biconditional implies the implication backward. $)
iff-back $p |- ( ( ph <-> ps ) -> ( ps -> ph ) ) $=
  ( w-imp w-iff def-iff and-right-d ) ABDABCBACABEF $.

${
  iff-forth-r.1 $e |- ( ph <-> ps ) $.
  $( Rule form of ~ iff-forth . $)
  iff-forth-r $p |- ( ph -> ps ) $=
    ( w-iff w-imp iff-forth mp ) ABDABECABFG $.
$}

${
  iff-back-r.1 $e |- ( ph <-> ps ) $.
  $( Rule form of ~ iff-back . $)
  iff-back-r $p |- ( ps -> ph ) $=
    ( w-iff w-imp iff-back mp ) ABDBAECABFG $.
$}

${
  iff-forth-d.1 $e |- ( ph -> ( ps <-> ch ) ) $.
  $( ~ iff-forth under an antecedent. $)
  iff-forth-d $p |- ( ph -> ( ps -> ch ) ) $=
    ( w-iff w-imp iff-forth chain-r ) ABCEBCFDBCGH $.
$}

${
  iff-back-d.1 $e |- ( ph -> ( ps <-> ch ) ) $.
  $( ~ iff-back under an antecedent. $)
  iff-back-d $p |- ( ph -> ( ch -> ps ) ) $=
    ( w-iff w-imp iff-back chain-r ) ABCECBFDBCGH $.
$}

${
  iff-r.1 $e |- ( ph -> ps ) $.
  iff-r.2 $e |- ( ps -> ph ) $.
  $( Two converse implications make a biconditional. $)
  iff-r $p |- ( ph <-> ps ) $=
    ( w-imp w-and w-iff and-join-r def-iff-back mp ) ABEZBAEZFABGKLCDHABIJ $.
$}

${
  iff-d.1 $e |- ( ph -> ( ps -> ch ) ) $.
  iff-d.2 $e |- ( ph -> ( ch -> ps ) ) $.
  $( ~ iff-r under an antecedent. $)
  iff-d $p |- ( ph -> ( ps <-> ch ) ) $=
    ( w-imp w-and w-iff and-join-d def-iff-back chain-r )
    ABCFZCBFZGBCHALMDEIBCJK $.
$}

$( Two converse implications make a biconditional, closed form. $)
iff-closed $p |- ( ( ph -> ps ) -> ( ( ps -> ph ) -> ( ph <-> ps ) ) ) $=
  ( w-imp w-iff def-iff-back export-r ) ABCBACABDABEF $.

${
  iff-mp.1 $e |- ph $.
  iff-mp.2 $e |- ( ph <-> ps ) $.
  $( Modus ponens for a biconditional, forward. $)
  iff-mp $p |- ps $=
    ( iff-forth-r mp ) ABCABDEF $.
$}

${
  iff-mp-back.1 $e |- ps $.
  iff-mp-back.2 $e |- ( ph <-> ps ) $.
  $( Modus ponens for a biconditional, backward. $)
  iff-mp-back $p |- ph $=
    ( iff-back-r mp ) BACABDEF $.
$}

$( Every statement is equivalent to itself. $)
iff-refl $p |- ( ph <-> ph ) $=
  ( refl iff-r ) AAABZDC $.

${
  iff-sym-r.1 $e |- ( ph <-> ps ) $.
  $( Equivalence is symmetric. $)
  iff-sym-r $p |- ( ps <-> ph ) $=
    ( iff-back-r iff-forth-r iff-r ) BAABCDABCEF $.
$}

$( Equivalence is symmetric, closed form. $)
iff-sym $p |- ( ( ph <-> ps ) -> ( ps <-> ph ) ) $=
  ( w-iff iff-back iff-forth iff-d ) ABCBAABDABEF $.

${
  iff-trans-r.1 $e |- ( ph <-> ps ) $.
  iff-trans-r.2 $e |- ( ps <-> ch ) $.
  $( Equivalence is transitive. $)
  iff-trans-r $p |- ( ph <-> ch ) $=
    ( iff-forth-r chain-r iff-back-r iff-r ) ACABCABDFBCEFGCBABCEHABDHGI $.
$}

$( Equivalence is transitive, closed form. $)
iff-trans $p |- ( ( ph <-> ps ) -> ( ( ps <-> ch ) -> ( ph <-> ch ) ) ) $=
  ( w-iff w-imp iff-forth chain-mid import-r iff-back w-and suffix-d
  prefix-d iff-d export-r )
  ABDZBCDZACDOPJACOPACEZPBCEOQBCFOABCABFKGHOPCAEZPCBEORBCIOBACABILGHMN $.

${
  iff-trans-back.1 $e |- ( ph <-> ps ) $.
  iff-trans-back.2 $e |- ( ch <-> ps ) $.
  $( Two statements equivalent to a third are equivalent. $)
  iff-trans-back $p |- ( ph <-> ch ) $=
    ( iff-sym-r iff-trans-r ) ABCDCBEFG $.
$}

${
  iff-trans-d.1 $e |- ( ph -> ( ps <-> ch ) ) $.
  iff-trans-d.2 $e |- ( ph -> ( ch <-> th ) ) $.
  $( Equivalence is transitive, under an antecedent. $)
  iff-trans-d $p |- ( ph -> ( ps <-> th ) ) $=
    ( w-iff iff-trans chain-both ) ABCGCDGBDGEFBCDHI $.
$}

$( Any two true statements are equivalent. $)
iff-true $p |- ( ph -> ( ps -> ( ph <-> ps ) ) ) $=
  ( w-imp w-iff drop-left mp iff-closed swap-d )
  BACZBABDZCZCZAKCABCIJCZCZLABGNBIJABMEHFBAKEF $.

$( Any two false statements are equivalent. $)
iff-false $p |- ( -. ph -> ( -. ps -> ( ph <-> ps ) ) ) $=
  ( w-imp w-not w-iff swap-r luka-third mp iff-closed )
  ABCZBDZABEZCZCADMCKJLBACZJLCZCKOCJNLABIFBAOGHFABMGH $.

$( A truth's equivalents are true. $)
iff-given $p |- ( ph -> ( ( ph <-> ps ) -> ps ) ) $=
  ( w-iff iff-forth swap-r ) ABCABABDE $.

$( A true antecedent makes no difference. $)
true-iff $p |- ( ph -> ( ps <-> ( ph -> ps ) ) ) $=
  ( w-imp ax-k weaken-r assert iff-d ) ABABCZBHCABADEABFG $.

${
  iff-not-r.1 $e |- ( ph <-> ps ) $.
  $( Denials of equivalent statements are equivalent. $)
  iff-not-r $p |- ( -. ph <-> -. ps ) $=
    ( w-not contra-r iff-back-r iff-forth-r iff-r ) ADBDBAABCFEABABCGEH $.
$}

$( Denials of equivalent statements are equivalent, closed form. $)
iff-not $p |- ( ( ph <-> ps ) -> ( -. ph <-> -. ps ) ) $=
  ( w-iff w-not contra-d iff-back iff-forth iff-d )
  ABCZADBDIBAABFEIABABGEH $.

$( The converse of ~ iff-not . $)
iff-not-back $p |- ( ( -. ph <-> -. ps ) -> ( ph <-> ps ) ) $=
  ( w-not w-iff contrary-d iff-back iff-forth iff-d )
  ACZBCZDZABKBAIJFEKABIJGEH $.

${
  iff-imp-left.1 $e |- ( ph <-> ps ) $.
  $( Equivalent antecedents make equivalent implications. $)
  iff-imp-left $p |- ( ( ph -> ch ) <-> ( ps -> ch ) ) $=
    ( w-imp suffix-r iff-back-r iff-forth-r iff-r ) ACEBCEBACABDGFABCABDHFI $.
$}

${
  iff-imp-right.1 $e |- ( ph <-> ps ) $.
  $( Equivalent consequents make equivalent implications. $)
  iff-imp-right $p |- ( ( ch -> ph ) <-> ( ch -> ps ) ) $=
    ( w-imp prefix-r iff-forth-r iff-back-r iff-r ) CAECBECABABDGFCBAABDHFI $.
$}

${
  iff-imp.1 $e |- ( ph <-> ps ) $.
  iff-imp.2 $e |- ( ch <-> th ) $.
  $( Implications of equivalent statements are equivalent. $)
  iff-imp $p |- ( ( ph -> ch ) <-> ( ps -> th ) ) $=
    ( w-imp iff-imp-left iff-imp-right iff-trans-r ) ACGBCGBDGABCEHCDBFIJ $.
$}

${
  iff-and-left.1 $e |- ( ph <-> ps ) $.
  $( Equivalent first parts make equivalent conjunctions. $)
  iff-and-left $p |- ( ( ph /\ ch ) <-> ( ps /\ ch ) ) $=
    ( w-and and-mono-left iff-forth-r iff-back-r iff-r )
    ACEBCEABCABDGFBACABDHFI $.
$}

${
  iff-and-right.1 $e |- ( ph <-> ps ) $.
  $( Equivalent second parts make equivalent conjunctions. $)
  iff-and-right $p |- ( ( ch /\ ph ) <-> ( ch /\ ps ) ) $=
    ( w-and and-mono-right iff-forth-r iff-back-r iff-r )
    CAECBEABCABDGFBACABDHFI $.
$}

${
  iff-and.1 $e |- ( ph <-> ps ) $.
  iff-and.2 $e |- ( ch <-> th ) $.
  $( Conjunctions of equivalent statements are equivalent. $)
  iff-and $p |- ( ( ph /\ ch ) <-> ( ps /\ th ) ) $=
    ( w-and iff-and-left iff-and-right iff-trans-r ) ACGBCGBDGABCEHCDBFIJ $.
$}

${
  iff-or-left.1 $e |- ( ph <-> ps ) $.
  $( Equivalent first parts make equivalent disjunctions. $)
  iff-or-left $p |- ( ( ph \/ ch ) <-> ( ps \/ ch ) ) $=
    ( w-or or-mono-left iff-forth-r iff-back-r iff-r )
    ACEBCEABCABDGFBACABDHFI $.
$}

${
  iff-or-right.1 $e |- ( ph <-> ps ) $.
  $( Equivalent second parts make equivalent disjunctions. $)
  iff-or-right $p |- ( ( ch \/ ph ) <-> ( ch \/ ps ) ) $=
    ( w-or or-mono-right iff-forth-r iff-back-r iff-r )
    CAECBEABCABDGFBACABDHFI $.
$}

${
  iff-or.1 $e |- ( ph <-> ps ) $.
  iff-or.2 $e |- ( ch <-> th ) $.
  $( Disjunctions of equivalent statements are equivalent. $)
  iff-or $p |- ( ( ph \/ ch ) <-> ( ps \/ th ) ) $=
    ( w-or iff-or-left iff-or-right iff-trans-r ) ACGBCGBDGABCEHCDBFIJ $.
$}

$( Equivalence is commutative. $)
iff-swap-iff $p |- ( ( ph <-> ps ) <-> ( ps <-> ph ) ) $=
  ( w-iff iff-sym iff-r ) ABCBACABDBADE $.

${
  iff-iff-left.1 $e |- ( ph <-> ps ) $.
  $( Equivalent left sides make equivalent biconditionals. $)
  iff-iff-left $p |- ( ( ph <-> ch ) <-> ( ps <-> ch ) ) $=
    ( w-iff w-imp iff-trans mp iff-sym-r iff-r )
    ACEZBCEZBAEKLFABDIBACGHABELKFDABCGHJ $.
$}

${
  iff-iff-right.1 $e |- ( ph <-> ps ) $.
  $( Equivalent right sides make equivalent biconditionals. $)
  iff-iff-right $p |- ( ( ch <-> ph ) <-> ( ch <-> ps ) ) $=
    ( w-iff iff-swap-iff iff-trans-r iff-iff-left )
    CAEACEZCBEZCAFIBCEJABCDHBCFGG $.
$}

${
  iff-iff.1 $e |- ( ph <-> ps ) $.
  iff-iff.2 $e |- ( ch <-> th ) $.
  $( Biconditionals of equivalent statements are equivalent. $)
  iff-iff $p |- ( ( ph <-> ch ) <-> ( ps <-> th ) ) $=
    ( w-iff iff-iff-left iff-iff-right iff-trans-r ) ACGBCGBDGABCEHCDBFIJ $.
$}

${
  iff-imp-d.1 $e |- ( ph -> ( ps <-> ch ) ) $.
  $( Equivalent antecedents make equivalent implications, under an antecedent.
     $)
  iff-imp-d $p |- ( ph -> ( ( ps -> th ) <-> ( ch -> th ) ) ) $=
    ( w-imp suffix-d iff-back-d iff-forth-d iff-d )
    ABDFCDFACBDABCEHGABCDABCEIGJ $.
$}

$( A statement is equivalent to its double denial. $)
double-iff $p |- ( ph <-> -. -. ph ) $=
  ( w-not double-add double-drop iff-r ) AABBACADE $.

$( An implication is equivalent to its contrapositive. $)
contra-iff $p |- ( ( ph -> ps ) <-> ( -. ps -> -. ph ) ) $=
  ( w-imp w-not contra ax-n iff-r ) ABCBDADCABEBAFG $.

$( Contraposition of an implication to a denial, both ways. $)
contra-pos-iff $p |- ( ( ph -> -. ps ) <-> ( ps -> -. ph ) ) $=
  ( w-not w-imp contra-pos iff-r ) ABCDBACDABEBAEF $.

$( Two antecedents may change places, both ways. $)
swap-iff $p |- ( ( ph -> ( ps -> ch ) ) <-> ( ps -> ( ph -> ch ) ) ) $=
  ( w-imp swap iff-r ) ABCDDBACDDABCEBACEF $.

$( An antecedent distributes over an implication, both ways. $)
distribute-iff $p |- ( ( ph -> ( ps -> ch ) ) <-> ( ( ph -> ps ) -> ( ph ->
    ch ) ) ) $=
  ( w-imp ax-s undistribute iff-r ) ABCDDABDACDDABCEABCFG $.

$( The same antecedent once or twice. $)
contract-iff $p |- ( ( ph -> ps ) <-> ( ph -> ( ph -> ps ) ) ) $=
  ( w-imp ax-k contract iff-r ) ABCZAGCGADABEF $.

$( Importation and exportation. $)
import-iff $p |- ( ( ph -> ( ps -> ch ) ) <-> ( ( ph /\ ps ) -> ch ) ) $=
  ( w-imp w-and import export iff-r ) ABCDDABECDABCFABCGH $.

$( Conjunction is commutative. $)
and-swap-iff $p |- ( ( ph /\ ps ) <-> ( ps /\ ph ) ) $=
  ( w-and and-swap iff-r ) ABCBACABDBADE $.

$( Conjunction is associative. $)
and-assoc-iff $p |- ( ( ( ph /\ ps ) /\ ch ) <-> ( ph /\ ( ps /\ ch ) ) ) $=
  ( w-and and-assoc and-assoc-back iff-r ) ABDCDABCDDABCEABCFG $.

$( Conjunction is idempotent. $)
and-twice-iff $p |- ( ph <-> ( ph /\ ph ) ) $=
  ( w-and and-twice and-left iff-r ) AAABACAADE $.

$( Disjunction is commutative. $)
or-swap-iff $p |- ( ( ph \/ ps ) <-> ( ps \/ ph ) ) $=
  ( w-or or-swap iff-r ) ABCBACABDBADE $.

$( Disjunction is associative. $)
or-assoc-iff $p |- ( ( ( ph \/ ps ) \/ ch ) <-> ( ph \/ ( ps \/ ch ) ) ) $=
  ( w-or or-assoc or-assoc-back iff-r ) ABDCDABCDDABCEABCFG $.

$( Disjunction is idempotent. $)
or-twice-iff $p |- ( ph <-> ( ph \/ ph ) ) $=
  ( w-or or-left or-twice iff-r ) AAABAACADE $.

$( Implication by denial and disjunction. $)
imp-or-iff $p |- ( ( ph -> ps ) <-> ( -. ph \/ ps ) ) $=
  ( w-imp w-not w-or imp-or or-imp iff-r ) ABCADBEABFABGH $.

$( Disjunction by implication. $)
or-imp-iff $p |- ( ( ph \/ ps ) <-> ( ( ph -> ps ) -> ps ) ) $=
  ( w-imp w-or conclude-or or-conclude iff-r ) ABDABCBCABEABFG $.

$( Conjunction distributes over disjunction, both ways. $)
and-over-or-iff $p |- ( ( ph /\ ( ps \/ ch ) ) <-> ( ( ph /\ ps ) \/ ( ph /\
    ch ) ) ) $=
  ( w-and w-or and-over-or and-over-or-back iff-r ) ABCEDABDACDEABCFABCGH $.

$( Disjunction distributes over conjunction, both ways. $)
or-over-and-iff $p |- ( ( ph \/ ( ps /\ ch ) ) <-> ( ( ph \/ ps ) /\ ( ph \/
    ch ) ) ) $=
  ( w-or w-and or-over-and or-over-and-back iff-r ) ABCEDABDACDEABCFABCGH $.

$( Conjunction distributes over disjunction from the right. $)
and-over-or-left $p |- ( ( ( ph \/ ps ) /\ ch ) <-> ( ( ph /\ ch ) \/ ( ps
    /\ ch ) ) ) $=
  ( w-and w-or and-swap-iff iff-trans-r and-over-or-iff iff-or )
  ABEZCDZCADZCBDZEZACDZBCDZEKCJDNJCFCABHGLOMPCAFCBFIG $.

$( Absorption of a disjunction, both ways. $)
absorb-and-iff $p |- ( ph <-> ( ph /\ ( ph \/ ps ) ) ) $=
  ( w-or w-and absorb-and-back and-left iff-r ) AAABCZDABEAHFG $.

$( Absorption of a conjunction, both ways. $)
absorb-or-iff $p |- ( ph <-> ( ph \/ ( ph /\ ps ) ) ) $=
  ( w-and w-or or-left absorb-or iff-r ) AAABCZDAHEABFG $.

$( De Morgan for a disjunction, both ways. $)
de-morgan-or-iff $p |- ( -. ( ph \/ ps ) <-> ( -. ph /\ -. ps ) ) $=
  ( w-not w-or w-and de-morgan-or de-morgan-or-back iff-r )
  ABDCACBCEABFABGH $.

$( De Morgan for a conjunction, both ways. $)
de-morgan-and-iff $p |- ( -. ( ph /\ ps ) <-> ( -. ph \/ -. ps ) ) $=
  ( w-not w-and w-or de-morgan-and de-morgan-and-back iff-r )
  ABDCACBCEABFABGH $.

$( Implication distributes over a conjunction. $)
and-target-iff $p |- ( ( ph -> ( ps /\ ch ) ) <-> ( ( ph -> ps ) /\ ( ph ->
    ch ) ) ) $=
  ( w-imp w-and and-target-back and-target iff-r ) ABCEDABDACDEABCFABCGH $.

$( Implication turns a disjunction of antecedents into a conjunction. $)
or-source-iff $p |- ( ( ( ph \/ ps ) -> ch ) <-> ( ( ph -> ch ) /\ ( ps ->
    ch ) ) ) $=
  ( w-imp w-or w-and or-source-back or-source iff-r )
  ABECDACDBCDFABCGABCHI $.

$( A statement implies another if their conjunction is no more than itself.
   $)
imp-and-iff $p |- ( ( ph -> ps ) <-> ( ph <-> ( ph /\ ps ) ) ) $=
  ( w-and w-imp w-iff and-join distribute-r and-left weaken-r iff-d
  iff-forth and-right chain-end iff-r )
  ABDZAABCZEZOAPABPABFGPADOABHIJQAPBAPKABLMN $.

$( A statement implies another if their disjunction adds nothing to it. $)
imp-join-iff $p |- ( ( ph -> ps ) <-> ( ps <-> ( ph \/ ps ) ) ) $=
  ( w-or w-imp w-iff or-right weaken-r conclude-or swap-r iff-d or-left
  iff-back chain-mid iff-r ) ABDZBABCZEZOBPBPDOABFGPOBABHIJAPQBABKBPLMN $.

$( Equivalent statements are both true or both false. $)
iff-agree $p |- ( ( ph <-> ps ) -> ( ( ph /\ ps ) \/ ( -. ph /\ -. ps ) ) )
    $=
  ( w-and w-not w-iff w-imp w-or and-join distribute-r chain-r chain-end
  iff-forth or-left iff-back contra-d or-right by-cases-d )
  ABEZAABCZADZBDZCZGZRASUCRABFASFABLABSABHIJSUBMKRTUBUCRTUAFTUBFRBAABNOT
  UAUBTUAHIJSUBPKQ $.

$( The converse of ~ iff-agree . $)
agree-iff $p |- ( ( ( ph /\ ps ) \/ ( -. ph /\ -. ps ) ) -> ( ph <-> ps ) )
    $=
  ( w-not w-iff w-and import-r iff-true iff-false or-cases )
  ABEACZBCZEABDZABLABGFJKLABHFI $.

$( No statement is equivalent to its denial. $)
not-iff-self $p |- -. ( ph <-> -. ph ) $=
  ( w-not w-iff chain-r w-imp iff-forth self-refute iff-back mp-d
  reductio-r ) AABZCZALKALAKEKAKFAGDZAKHIMJ $.

$( A denial moves from one side of an equivalence to the other. $)
iff-not-shift $p |- ( ( ph <-> -. ps ) -> ( -. ph <-> ps ) ) $=
  ( w-not w-iff w-imp iff-back contra-neg-d iff-forth contra-pos chain-r
  iff-d ) ABCZDZACZBMBAALFGMALEBNEALHABIJK $.

$( Of two statements that are not equivalent each is the other's denial. $)
not-iff $p |- ( -. ( ph <-> ps ) -> ( ph <-> -. ps ) ) $=
  ( w-not w-iff swap-r iff-true contra-d iff-false contra-neg-d iff-d )
  ABDZCZABCZALMABKABFGEMLAMAKACMKABHEIEJ $.

$( A statement equivalent to its own equivalence with another proves that
   other. $)
iff-cancel $p |- ( ( ph <-> ( ph <-> ps ) ) -> ps ) $=
  ( w-iff w-not w-imp distribute-r chain-r iff-forth iff-given iff-back
  contra-d iff-false contra-neg-d by-cases-d )
  AABCZCZABPAOEABEAOHAOBABIFGPADZODZEQBEPOAAOJKQRBQBOABLMFGN $.

$( A true part of a conjunction makes no difference. $)
iff-and-cancel $p |- ( ph -> ( ps <-> ( ph /\ ps ) ) ) $=
  ( w-and and-join w-imp and-right weaken-r iff-d ) ABABCZABDIBEAABFGH $.

$( A false part of a disjunction makes no difference. $)
iff-or-cancel $p |- ( -. ph -> ( ps <-> ( ph \/ ps ) ) ) $=
  ( w-imp w-iff w-or w-not imp-join-iff iff-forth-r luka-third mp )
  ABCZBABEDZCAFLCKLABGHABLIJ $.

$( Beside an assumption, what is equivalent under it can be replaced. $)
and-iff-under $p |- ( ( ph -> ( ps <-> ch ) ) -> ( ( ph /\ ps ) <-> ( ph /\
    ch ) ) ) $=
  ( w-imp w-and w-iff prefix-r and-under chain-r iff-forth iff-back iff-d
  ) ABCFZDZABEZACEZNABCDZDOPDAMQBCJGABCHINACBDZDPODAMRBCKGACBHIL $.

$( Peirce's law, both ways. $)
peirce-law-iff $p |- ( ph <-> ( ( ph -> ps ) -> ph ) ) $=
  ( w-imp ax-k peirce-law iff-r ) AABCZACAGDABEF $.

$( ---- Further ---- $)

$( A true side of an equivalence makes no difference. $)
iff-true-left $p |- ( ph -> ( ps <-> ( ph <-> ps ) ) ) $=
  ( w-iff iff-true iff-given iff-d ) ABABCABDABEF $.

$( A false side of an equivalence denies the other. $)
iff-false-left $p |- ( -. ph -> ( -. ps <-> ( ph <-> ps ) ) ) $=
  ( w-not w-iff iff-false iff-back contra-d swap-r iff-d )
  ACZBCZABDZABELJKLBAABFGHI $.

$( A denied equivalence is one with the first side denied. $)
not-iff-left $p |- ( -. ( ph <-> ps ) <-> ( -. ph <-> ps ) ) $=
  ( w-iff w-not chain-r not-iff iff-not-shift iff-sym not-iff-self
  iff-trans contra-d mp-inner contra-pos-r iff-r )
  ABCZDZADZBCZPABDCRABFABGERBQCZPQBHOSOAQCZDSDAIOSTABQJKLMEN $.

${
  iff-iff-d.1 $e |- ( ph -> ( ps <-> ch ) ) $.
  $( Equivalent left sides make equivalent biconditionals, under an
     antecedent. $)
  iff-iff-d $p |- ( ph -> ( ( ps <-> th ) <-> ( ch <-> th ) ) ) $=
    ( w-iff w-imp iff-trans iff-sym both-ways-r mp chain-r iff-d )
    ABDFZCDFZBCFZCBFZGANOGZGBCIAPQRECBDHJKAPONGEBCDHLM $.
$}

$( Equivalence is associative (Lukasiewicz). $)
iff-assoc $p |- ( ( ( ph <-> ps ) <-> ch ) <-> ( ph <-> ( ps <-> ch ) ) ) $=
  ( w-iff w-not iff-trans-d iff-iff-d iff-false-left iff-given iff-true
  iff-d iff-true-left iff-sym chain-r not-iff-left iff-sym-r weaken-r
  by-cases-r )
  AABDZCDZABCDZDZDATUAUBASBCASBABIABJKGAUALFAEZTBEZCDZUBUCUETDTUEDUCUDSC
  ABHGUETMNUCUEUAEZUBUEUFDUCUFUEBCOPQAUAHFFR $.

$( Lukasiewicz's single axiom for equivalence alone. $)
iff-single $p |- ( ( ph <-> ps ) <-> ( ( ch <-> ps ) <-> ( ph <-> ch ) ) )
    $=
  ( w-iff iff-assoc iff-swap-iff mp iff-back-r iff-iff-left iff-iff
  iff-forth-r )
  ACDZCDZBDZLCBDZDZDZABDZOLDZDZLCBEQTNRPSMABLCADDZMADZACFUBUALCAEHGILOFJ
  KG $.

$( The golden rule of Dijkstra and Scholten. $)
golden $p |- ( ( ph <-> ps ) <-> ( ( ph /\ ps ) <-> ( ph \/ ps ) ) ) $=
  ( w-and w-iff w-or w-imp chain-r iff-back iff-d both-ways-r and-or
  weaken-r iff-forth and-join distribute-r chain-d or-cases-d or-left
  and-right or-right and-left iff-r )
  ABDZABCZABEZDZUCUDUEUDUEFUCABKLUCABUDUCABFAUDFABMABUDABNOGZUCBAUDABHUG
  PQIUFUEUDFZUCUDUEHUHABAUEUDBABRABSJBUEUDAABTABUAJIGUB $.

$( If-then-else as a disjunction of conjunctions. $)
choice-forth $p |- ( ( ( ph -> ps ) /\ ( -. ph -> ch ) ) -> ( ( ph /\ ps )
    \/ ( -. ph /\ ch ) ) ) $=
  ( w-and w-imp w-not w-or and-join distribute-r chain-end and-first
  or-left and-second or-right by-cases-d )
  ABEZAFZCEZDZAABDZQCDZGZSATUBPRATEABTABHIKTUALJSQUAUBPRQUAEQCUAQCHIMTUA
  NJO $.

$( The converse of ~ choice-forth . $)
choice-back $p |- ( ( ( ph /\ ps ) \/ ( -. ph /\ ch ) ) -> ( ( ph -> ps ) /\
    ( -. ph -> ch ) ) ) $=
  ( w-and w-imp w-not and-right weaken-d and-join-d explode-swap and-first
  and-left explode-d or-cases )
  ABDZAFZCDZABEZPCEZDORSOBAABGHABSACJKIQRSQABPCLMQCPPCGHIN $.

$( The two ways to say if-then-else. $)
choice-iff $p |- ( ( ( ph -> ps ) /\ ( -. ph -> ch ) ) <-> ( ( ph /\ ps ) \/
    ( -. ph /\ ch ) ) ) $=
  ( w-and w-imp w-not w-or choice-forth choice-back iff-r )
  ABEAFZCEDABDKCDGABCHABCIJ $.

$( A circle of implications makes equivalents. $)
round-trip $p |- ( ( ( ph -> ps ) /\ ( ( ps -> ch ) /\ ( ch -> ph ) ) ) -> (
    ph <-> ch ) ) $=
  ( w-imp w-and and-left and-second chain-d and-right iff-d )
  ABDZBCDZCADZEZEZACOABCKNFKNLLMFGHKNMLMIGJ $.

$( If two of three statements hold, each pair has one that holds. $)
majority $p |- ( ( ( ph /\ ps ) \/ ( ( ps /\ ch ) \/ ( ch /\ ph ) ) ) -> ( (
    ph \/ ps ) /\ ( ( ps \/ ch ) /\ ( ch \/ ph ) ) ) ) $=
  ( w-or w-and or-right or-left and-mono and-join-d or-cases and-or
  and-swap-d and-first and-second )
  ABEZBCEZCAEZDABDZBCDZCADZEZEZORUAABKOTSATBSCAFZBCGZHLIPQUBPRUABCRABFMB
  SCTUDCAGHIQRUACARABGNCSATBCFUCHIJJ $.

$( Meredith's single axiom for implication and denial. $)
meredith-all $p |- ( ( ( ( ( ph -> ps ) -> ( -. ch -> -. th ) ) -> ch ) ->
    ta ) -> ( ( ta -> ph ) -> ( th -> ph ) ) ) $=
  ( w-imp w-not both-ways-r mp mp-deep explode ax-n rotate-r suffix-d
  swap-r ax-k by-cases prefix-r )
  AGZDEFZFZEAFZSDAFZFZFZFABFZCGDGFZFZCFZEFZUBUCFZFSDEAJUJUAUEUKSUJTSDUIE
  UHSDCSUFUGDCFABKCDLHMNOUBUDUCAUCFUDUCFADPAUCQIRHI $.
