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
    ( mp w-imp ax-k )
    ABAECABFD $.
$}

${
  distribute-r.1 $e |- ( ph -> ( ps -> ch ) ) $.
  $( Rule form of ~ ax-s . $)
  distribute-r $p |- ( ( ph -> ps ) -> ( ph -> ch ) ) $=
    ( mp w-imp ax-s )
    ABCFFABFACFFDABCGE $.
$}

${
  mp-two.1 $e |- ph $.
  mp-two.2 $e |- ps $.
  mp-two.3 $e |- ( ph -> ( ps -> ch ) ) $.
  $( Modus ponens twice. $)
  mp-two $p |- ch $=
    ( mp w-imp )
    BCEABCHDFGG $.
$}

${
  mp-d.1 $e |- ( ph -> ps ) $.
  mp-d.2 $e |- ( ph -> ( ps -> ch ) ) $.
  $( Modus ponens under an antecedent. $)
  mp-d $p |- ( ph -> ch ) $=
    ( mp w-imp distribute-r )
    ABGACGDABCEHF $.
$}

${
  chain-r.1 $e |- ( ph -> ps ) $.
  chain-r.2 $e |- ( ps -> ch ) $.
  $( Syllogism: two implications make one. $)
  chain-r $p |- ( ph -> ch ) $=
    ( mp-d weaken-r w-imp )
    ABCDBCHAEGF $.
$}

$( Everything implies itself. $)
refl $p |- ( ph -> ph ) $=
  ( mp-d w-imp ax-k )
  AAACZAAADAEDB $.

$( Anything implies that a statement implies itself. $)
refl-under $p |- ( ph -> ( ps -> ps ) ) $=
  ( weaken-r w-imp refl )
  BBDABEC $.

${
  weaken-d.1 $e |- ( ph -> ps ) $.
  $( Put an antecedent between the two sides of an implication. $)
  weaken-d $p |- ( ph -> ( ch -> ps ) ) $=
    ( chain-r w-imp ax-k )
    ABCBFDBCGE $.
$}

${
  mp-inner.1 $e |- ps $.
  mp-inner.2 $e |- ( ph -> ( ps -> ch ) ) $.
  $( Take away a second antecedent that holds. $)
  mp-inner $p |- ( ph -> ch ) $=
    ( mp-d weaken-r )
    ABCBADGEF $.
$}

${
  swap-r.1 $e |- ( ph -> ( ps -> ch ) ) $.
  $( Two antecedents may change places. $)
  swap-r $p |- ( ps -> ( ph -> ch ) ) $=
    ( chain-r w-imp ax-k distribute-r )
    BABFACFBAGABCDHE $.
$}

$( Both sides of an implication take the same antecedent. $)
prefix $p |- ( ( ps -> ch ) -> ( ( ph -> ps ) -> ( ph -> ch ) ) ) $=
  ( chain-r w-imp ax-k ax-s )
  BCEZAHEABEACEEHAFABCGD $.

${
  prefix-r.1 $e |- ( ps -> ch ) $.
  $( Rule form of ~ prefix . $)
  prefix-r $p |- ( ( ph -> ps ) -> ( ph -> ch ) ) $=
    ( distribute-r weaken-r w-imp )
    ABCBCGADFE $.
$}

$( Closed syllogism; the same consequent turns an implication around. $)
suffix $p |- ( ( ph -> ps ) -> ( ( ps -> ch ) -> ( ph -> ch ) ) ) $=
  ( swap-r w-imp prefix )
  BCEABEACEABCFD $.

${
  suffix-r.1 $e |- ( ph -> ps ) $.
  $( Rule form of ~ suffix . $)
  suffix-r $p |- ( ( ps -> ch ) -> ( ph -> ch ) ) $=
    ( mp w-imp suffix )
    ABFBCFACFFDABCGE $.
$}

$( Two antecedents may change places, closed form. $)
swap $p |- ( ( ph -> ( ps -> ch ) ) -> ( ps -> ( ph -> ch ) ) ) $=
  ( chain-r w-imp ax-s suffix-r ax-k )
  ABCEEABEZACEZEBJEABCFBIJBAHGD $.

$( Modus ponens as an implication. $)
assert $p |- ( ph -> ( ( ph -> ps ) -> ps ) ) $=
  ( swap-r w-imp refl )
  ABDZABFEC $.

${
  assert-r.1 $e |- ph $.
  $( Whatever a truth implies holds. $)
  assert-r $p |- ( ( ph -> ps ) -> ps ) $=
    ( mp w-imp assert )
    AABEBECABFD $.
$}

$( Modus ponens under an antecedent, as an implication. $)
mp-under $p |- ( ( ph -> ps ) -> ( ( ph -> ( ps -> ch ) ) -> ( ph -> ch ) )
    ) $=
  ( swap-r w-imp ax-s )
  ABCEEABEACEABCFD $.

$( The same antecedent need not be said twice (Hilbert). $)
contract $p |- ( ( ph -> ( ph -> ps ) ) -> ( ph -> ps ) ) $=
  ( distribute-r w-imp assert )
  AABDBABEC $.

${
  contract-r.1 $e |- ( ph -> ( ph -> ps ) ) $.
  $( Rule form of ~ contract . $)
  contract-r $p |- ( ph -> ps ) $=
    ( mp w-imp contract )
    AABEZEGCABFD $.
$}

${
  chain-three.1 $e |- ( ph -> ps ) $.
  chain-three.2 $e |- ( ps -> ch ) $.
  chain-three.3 $e |- ( ch -> th ) $.
  $( Three implications make one. $)
  chain-three $p |- ( ph -> th ) $=
    ( chain-r )
    ABDEBCDFGHH $.
$}

${
  chain-end.1 $e |- ( ph -> ( ps -> ch ) ) $.
  chain-end.2 $e |- ( ch -> th ) $.
  $( Go on from the end of a double implication. $)
  chain-end $p |- ( ph -> ( ps -> th ) ) $=
    ( chain-r w-imp prefix-r )
    ABCHBDHEBCDFIG $.
$}

${
  chain-mid.1 $e |- ( ph -> ps ) $.
  chain-mid.2 $e |- ( ch -> ( ps -> th ) ) $.
  $( Replace the second of two antecedents by a stronger one. $)
  chain-mid $p |- ( ch -> ( ph -> th ) ) $=
    ( chain-r w-imp suffix-r )
    CBDHADHFABDEIG $.
$}

${
  chain-d.1 $e |- ( ph -> ( ps -> ch ) ) $.
  chain-d.2 $e |- ( ph -> ( ch -> th ) ) $.
  $( Syllogism under an antecedent. $)
  chain-d $p |- ( ph -> ( ps -> th ) ) $=
    ( mp-d w-imp chain-r prefix )
    ABCHZBDHZEACDHKLHFBCDJIG $.
$}

${
  chain-both.1 $e |- ( ph -> ps ) $.
  chain-both.2 $e |- ( ph -> ch ) $.
  chain-both.3 $e |- ( ps -> ( ch -> th ) ) $.
  $( One antecedent provides for two. $)
  chain-both $p |- ( ph -> th ) $=
    ( mp-d chain-r w-imp )
    ACDFABCDJEGIH $.
$}

${
  chain-apart.1 $e |- ( ph -> ps ) $.
  chain-apart.2 $e |- ( ch -> th ) $.
  chain-apart.3 $e |- ( ps -> ( th -> ta ) ) $.
  $( Two antecedents are each replaced by a stronger one. $)
  chain-apart $p |- ( ph -> ( ch -> ta ) ) $=
    ( chain-r w-imp chain-mid )
    ABCEJFCDBEGHKI $.
$}

${
  prefix-d.1 $e |- ( ph -> ( ps -> ch ) ) $.
  $( ~ prefix under an antecedent. $)
  prefix-d $p |- ( ph -> ( ( th -> ps ) -> ( th -> ch ) ) ) $=
    ( chain-r w-imp prefix )
    ABCGDBGDCGGEDBCHF $.
$}

${
  suffix-d.1 $e |- ( ph -> ( ps -> ch ) ) $.
  $( ~ suffix under an antecedent. $)
  suffix-d $p |- ( ph -> ( ( ch -> th ) -> ( ps -> th ) ) ) $=
    ( chain-r w-imp suffix )
    ABCGCDGBDGGEBCDHF $.
$}

${
  swap-d.1 $e |- ( ph -> ( ps -> ( ch -> th ) ) ) $.
  $( The second and third of three antecedents change places. $)
  swap-d $p |- ( ph -> ( ch -> ( ps -> th ) ) ) $=
    ( chain-r w-imp swap )
    ABCDGGCBDGGEBCDHF $.
$}

${
  rotate-r.1 $e |- ( ph -> ( ps -> ( ch -> th ) ) ) $.
  $( The first of three antecedents becomes the last. $)
  rotate-r $p |- ( ps -> ( ch -> ( ph -> th ) ) ) $=
    ( swap-d swap-r w-imp )
    BACDABCDHEGF $.
$}

${
  mp-third.1 $e |- ( ph -> ( ps -> ch ) ) $.
  mp-third.2 $e |- ( ph -> ( ps -> ( ch -> th ) ) ) $.
  $( Modus ponens under two antecedents. $)
  mp-third $p |- ( ph -> ( ps -> th ) ) $=
    ( chain-both w-imp ax-s )
    ABCDHHBCHBDHFEBCDIG $.
$}

${
  contract-d.1 $e |- ( ph -> ( ps -> ( ps -> ch ) ) ) $.
  $( ~ contract under an antecedent. $)
  contract-d $p |- ( ph -> ( ps -> ch ) ) $=
    ( chain-r w-imp contract )
    ABBCFZFHDBCGE $.
$}

${
  contract-end.1 $e |- ( ph -> ( ps -> ( ph -> ch ) ) ) $.
  $( A third antecedent that repeats the first can go. $)
  contract-end $p |- ( ph -> ( ps -> ch ) ) $=
    ( contract-r w-imp swap-d )
    ABCFABACDGE $.
$}

$( What holds follows from any two statements. $)
weaken-two $p |- ( ph -> ( ps -> ( ch -> ph ) ) ) $=
  ( weaken-d w-imp ax-k )
  ACAEBACFD $.

$( An implication stays true with one more antecedent. $)
weaken-mid $p |- ( ( ph -> ps ) -> ( ph -> ( ch -> ps ) ) ) $=
  ( prefix-r w-imp ax-k )
  ABCBEBCFD $.

$( What follows from an implication follows from its consequent. $)
drop-left $p |- ( ( ( ph -> ps ) -> ch ) -> ( ps -> ch ) ) $=
  ( suffix-r w-imp ax-k )
  BABECBAFD $.

$( An antecedent that is a truth of logic can go. $)
drop-true $p |- ( ( ( ph -> ph ) -> ps ) -> ps ) $=
  ( assert-r w-imp refl )
  AADBAEC $.

$( The converse of ~ ax-s . $)
undistribute $p |- ( ( ( ph -> ps ) -> ( ph -> ch ) ) -> ( ph -> ( ps -> ch
    ) ) ) $=
  ( swap-d w-imp drop-left )
  ABEACEZEBACABGFD $.

${
  both-ways-r.1 $e |- ( ph -> ps ) $.
  both-ways-r.2 $e |- ( ch -> th ) $.
  $( Strengthen the antecedent and weaken the consequent. $)
  both-ways-r $p |- ( ( ps -> ch ) -> ( ph -> th ) ) $=
    ( chain-end w-imp suffix-r )
    BCHACDABCEIFG $.
$}

$( Closed form of ~ both-ways-r . $)
both-ways $p |- ( ( ph -> ps ) -> ( ( ch -> th ) -> ( ( ps -> ch ) -> ( ph
    -> th ) ) ) ) $=
  ( chain-mid w-imp prefix prefix-d suffix )
  CDFBCFZBDFZFABFZJADFZFBCDGLKMJABDIHE $.

${
  chain-four.1 $e |- ( ph -> ps ) $.
  chain-four.2 $e |- ( ps -> ch ) $.
  chain-four.3 $e |- ( ch -> th ) $.
  chain-four.4 $e |- ( th -> ta ) $.
  $( Four implications make one. $)
  chain-four $p |- ( ph -> ta ) $=
    ( mp w-imp chain-end both-ways-r )
    BCKZAEKGNADEABCDFHMILJ $.
$}

$( Three conclusions are as good as one. $)
thrice $p |- ( ( ( ( ph -> ps ) -> ps ) -> ps ) -> ( ph -> ps ) ) $=
  ( suffix-r w-imp assert )
  AABDBDBABEC $.

$( The second and third of three antecedents change places, closed form. $)
swap-deep $p |- ( ( ph -> ( ps -> ( ch -> th ) ) ) -> ( ph -> ( ch -> ( ps
    -> th ) ) ) ) $=
  ( prefix-r w-imp swap )
  ABCDFFCBDFFBCDGE $.

$( The third of three antecedents comes first. $)
rotate $p |- ( ( ph -> ( ps -> ( ch -> th ) ) ) -> ( ch -> ( ph -> ( ps ->
    th ) ) ) ) $=
  ( swap-d w-imp swap-deep )
  ABCDFFFACBDFABCDGE $.

$( Go on from the end of a double implication, closed form. $)
mp-deep $p |- ( ( ph -> ( ps -> ch ) ) -> ( ( ch -> th ) -> ( ph -> ( ps ->
    th ) ) ) ) $=
  ( swap-r w-imp prefix-d prefix )
  CDFZABCFZFABDFZFIJKABCDHGE $.

$( One antecedent provides for two, closed form. $)
diamond $p |- ( ( ph -> ps ) -> ( ( ph -> ch ) -> ( ( ps -> ( ch -> th ) )
    -> ( ph -> th ) ) ) ) $=
  ( chain-mid w-imp mp-under suffix-d suffix )
  ACFACDFZFZADFZFABFZBJFZLFACDGMNKLABJIHE $.

$( An antecedent said before and after another is said once. $)
merge-antecedents $p |- ( ( ph -> ( ps -> ( ph -> ch ) ) ) -> ( ps -> ( ph
    -> ch ) ) ) $=
  ( swap-d w-imp contract-d swap-deep )
  ABACEEEZABCHABCEABACGFD $.

$( ---- Negation ---- $)

${
  contrary-r.1 $e |- ( -. ph -> -. ps ) $.
  $( Rule form of ~ ax-n . $)
  contrary-r $p |- ( ps -> ph ) $=
    ( mp w-imp w-not ax-n )
    AFBFEBAECABGD $.
$}

${
  contrary-d.1 $e |- ( ph -> ( -. ps -> -. ch ) ) $.
  $( ~ ax-n under an antecedent. $)
  contrary-d $p |- ( ph -> ( ch -> ps ) ) $=
    ( chain-r w-imp w-not ax-n )
    ABGCGFCBFDBCHE $.
$}

$( From a statement and its denial anything follows. $)
explode $p |- ( -. ph -> ( ph -> ps ) ) $=
  ( contrary-d w-not ax-k )
  ADZBAFBDEC $.

$( From a statement and its denial anything follows, the statement first. $)
explode-swap $p |- ( ph -> ( -. ph -> ps ) ) $=
  ( swap-r w-not explode )
  ADABABEC $.

${
  explode-r.1 $e |- -. ph $.
  $( What is false implies anything. $)
  explode-r $p |- ( ph -> ps ) $=
    ( contrary-r weaken-r w-not )
    BAAFBFCED $.
$}

${
  explode-d.1 $e |- ( ph -> -. ps ) $.
  $( What is false implies anything, under an antecedent. $)
  explode-d $p |- ( ph -> ( ps -> ch ) ) $=
    ( contrary-d weaken-d w-not )
    ACBABGCGDFE $.
$}

${
  absurd.1 $e |- ph $.
  absurd.2 $e |- -. ph $.
  $( A contradiction proves anything. $)
  absurd $p |- ps $=
    ( mp explode-r )
    ABCABDFE $.
$}

${
  absurd-d.1 $e |- ( ph -> ps ) $.
  absurd-d.2 $e |- ( ph -> -. ps ) $.
  $( What leads to a contradiction leads to anything. $)
  absurd-d $p |- ( ph -> ch ) $=
    ( mp-d explode-d )
    ABCDABCEGF $.
$}

$( What follows from its own denial holds (Clavius). $)
clavius $p |- ( ( -. ph -> ph ) -> ph ) $=
  ( contract-r w-imp w-not contrary-d distribute-r explode )
  ADZACZAIAIHAIDZAJGFEB $.

${
  clavius-r.1 $e |- ( -. ph -> ph ) $.
  $( Rule form of ~ clavius . $)
  clavius-r $p |- ph $=
    ( mp w-imp w-not clavius )
    AEADABAFC $.
$}

$( Two denials cancel. $)
double-drop $p |- ( -. -. ph -> ph ) $=
  ( contract-r w-not contrary-d explode )
  ACZCZAGAGFGCEDB $.

$( What holds is not false. $)
double-add $p |- ( ph -> -. -. ph ) $=
  ( contrary-r w-not double-drop )
  ACZCAEDB $.

${
  double-drop-r.1 $e |- -. -. ph $.
  $( Rule form of ~ double-drop . $)
  double-drop-r $p |- ph $=
    ( mp w-not double-drop )
    ADDABAEC $.
$}

${
  double-add-r.1 $e |- ph $.
  $( Rule form of ~ double-add . $)
  double-add-r $p |- -. -. ph $=
    ( mp w-not double-add )
    AADDBAEC $.
$}

${
  double-drop-d.1 $e |- ( ph -> -. -. ps ) $.
  $( ~ double-drop under an antecedent. $)
  double-drop-d $p |- ( ph -> ps ) $=
    ( chain-r w-not double-drop )
    ABEEBCBFD $.
$}

${
  double-add-d.1 $e |- ( ph -> ps ) $.
  $( ~ double-add under an antecedent. $)
  double-add-d $p |- ( ph -> -. -. ps ) $=
    ( chain-r w-not double-add )
    ABBEECBFD $.
$}

$( Both sides of an implication may be denied twice. $)
double-imp $p |- ( ( ph -> ps ) -> ( -. -. ph -> -. -. ps ) ) $=
  ( both-ways-r w-not double-drop double-add )
  ADDABBDDAEBFC $.

$( Contraposition. $)
contra $p |- ( ( ph -> ps ) -> ( -. ps -> -. ph ) ) $=
  ( contrary-d w-imp w-not double-imp )
  ABDAEBEABFC $.

${
  contra-r.1 $e |- ( ph -> ps ) $.
  $( Rule form of ~ contra . $)
  contra-r $p |- ( -. ps -> -. ph ) $=
    ( mp w-imp w-not contra )
    ABEBFAFECABGD $.
$}

${
  contra-d.1 $e |- ( ph -> ( ps -> ch ) ) $.
  $( Contraposition under an antecedent. $)
  contra-d $p |- ( ph -> ( -. ch -> -. ps ) ) $=
    ( chain-r w-imp w-not contra )
    ABCFCGBGFDBCHE $.
$}

$( Contraposition of an implication to a denial. $)
contra-pos $p |- ( ( ph -> -. ps ) -> ( ps -> -. ph ) ) $=
  ( contrary-d w-imp w-not suffix-r double-drop )
  ABEZDAEZBIEAHAGFC $.

${
  contra-pos-r.1 $e |- ( ph -> -. ps ) $.
  $( Rule form of ~ contra-pos . $)
  contra-pos-r $p |- ( ps -> -. ph ) $=
    ( mp w-imp w-not contra-pos )
    ABFEBAFECABGD $.
$}

$( Contraposition of an implication from a denial. $)
contra-neg $p |- ( ( -. ph -> ps ) -> ( -. ps -> ph ) ) $=
  ( contrary-d w-imp w-not prefix-r double-add )
  AEZBDABEZHBIEBGFC $.

${
  contra-neg-r.1 $e |- ( -. ph -> ps ) $.
  $( Rule form of ~ contra-neg . $)
  contra-neg-r $p |- ( -. ps -> ph ) $=
    ( contrary-r w-not double-add-d )
    ABEAEBCFD $.
$}

${
  contra-neg-d.1 $e |- ( ph -> ( -. ps -> ch ) ) $.
  $( ~ contra-neg under an antecedent. $)
  contra-neg-d $p |- ( ph -> ( -. ch -> ps ) ) $=
    ( chain-r w-imp w-not contra-neg )
    ABGCFCGBFDBCHE $.
$}

${
  tollens.1 $e |- -. ps $.
  tollens.2 $e |- ( ph -> ps ) $.
  $( Modus tollens. $)
  tollens $p |- -. ph $=
    ( mp w-not contra-r )
    BFAFCABDGE $.
$}

${
  tollens-neg.1 $e |- -. ps $.
  tollens-neg.2 $e |- ( -. ph -> ps ) $.
  $( Modus tollens for a denied antecedent. $)
  tollens-neg $p |- ph $=
    ( mp w-not contra-neg-r )
    BFACABDGE $.
$}

${
  tollens-pos.1 $e |- ps $.
  tollens-pos.2 $e |- ( ph -> -. ps ) $.
  $( Modus tollens for a denied consequent. $)
  tollens-pos $p |- -. ph $=
    ( mp w-not contra-pos-r )
    BAFCABDGE $.
$}

${
  tollens-d.1 $e |- ( ph -> -. ch ) $.
  tollens-d.2 $e |- ( ph -> ( ps -> ch ) ) $.
  $( Modus tollens under an antecedent. $)
  tollens-d $p |- ( ph -> -. ps ) $=
    ( mp-d w-not contra-d )
    ACGBGDABCEHF $.
$}

$( What implies its own denial is false. $)
self-refute $p |- ( ( ph -> -. ph ) -> -. ph ) $=
  ( chain-r w-imp w-not contra clavius )
  AADZCGDGCGAGEGFB $.

${
  self-refute-r.1 $e |- ( ph -> -. ph ) $.
  $( Rule form of ~ self-refute . $)
  self-refute-r $p |- -. ph $=
    ( mp w-imp w-not self-refute )
    AAEZDGBAFC $.
$}

$( What implies a statement and its denial is false. $)
reductio $p |- ( ( ph -> ps ) -> ( ( ph -> -. ps ) -> -. ph ) ) $=
  ( chain-end w-imp w-not prefix-d contra self-refute )
  ABDZABEZDAAEZDKIJKAABGFAHC $.

${
  reductio-r.1 $e |- ( ph -> ps ) $.
  reductio-r.2 $e |- ( ph -> -. ps ) $.
  $( Rule form of ~ reductio . $)
  reductio-r $p |- -. ph $=
    ( self-refute-r absurd-d w-not )
    AABAGCDFE $.
$}

${
  reductio-neg.1 $e |- ( -. ph -> ps ) $.
  reductio-neg.2 $e |- ( -. ph -> -. ps ) $.
  $( What would, if denied, lead to a contradiction holds. $)
  reductio-neg $p |- ph $=
    ( clavius-r absurd-d w-not )
    AAGBACDFE $.
$}

$( What follows both from a statement and from its denial holds. $)
by-cases $p |- ( ( ph -> ps ) -> ( ( -. ph -> ps ) -> ps ) ) $=
  ( chain-end w-imp w-not suffix-d contra clavius )
  ABDZAEZBDBEZBDBIKJBABGFBHC $.

${
  by-cases-r.1 $e |- ( ph -> ps ) $.
  by-cases-r.2 $e |- ( -. ph -> ps ) $.
  $( Rule form of ~ by-cases . $)
  by-cases-r $p |- ps $=
    ( mp w-imp w-not by-cases )
    AGBFZBDABFIBFCABHEE $.
$}

${
  by-cases-d.1 $e |- ( ph -> ( ps -> ch ) ) $.
  by-cases-d.2 $e |- ( ph -> ( -. ps -> ch ) ) $.
  $( Proof by cases under an antecedent. $)
  by-cases-d $p |- ( ph -> ch ) $=
    ( chain-both w-imp w-not by-cases )
    ABCGBHCGCDEBCIF $.
$}

${
  by-cases-chain.1 $e |- ( ph -> ps ) $.
  by-cases-chain.2 $e |- ( -. ph -> ch ) $.
  by-cases-chain.3 $e |- ( ch -> ps ) $.
  $( Proof by cases, one of them in two steps. $)
  by-cases-chain $p |- ps $=
    ( by-cases-r chain-r w-not )
    ABDAICBEFHG $.
$}

$( Peirce's law, classical logic without a denial. $)
peirce-law $p |- ( ( ( ph -> ps ) -> ph ) -> ph ) $=
  ( chain-r w-imp w-not suffix-r explode clavius )
  ABDZADAEZADAJIAABGFAHC $.

${
  peirce-law-r.1 $e |- ( ( ph -> ps ) -> ph ) $.
  $( Rule form of ~ peirce-law . $)
  peirce-law-r $p |- ph $=
    ( mp w-imp peirce-law )
    ABEAEACABFD $.
$}

$( A true antecedent and a false consequent refute an implication. $)
refute $p |- ( ph -> ( -. ps -> -. ( ph -> ps ) ) ) $=
  ( contra-d w-imp assert )
  AABDBABEC $.

${
  refute-r.1 $e |- ph $.
  refute-r.2 $e |- -. ps $.
  $( Rule form of ~ refute . $)
  refute-r $p |- -. ( ph -> ps ) $=
    ( tollens w-imp assert-r )
    ABFBDABCGE $.
$}

$( The antecedent of a false implication holds. $)
refuted-left $p |- ( -. ( ph -> ps ) -> ph ) $=
  ( contra-neg-r w-imp explode )
  AABDABEC $.

$( The consequent of a false implication is false. $)
refuted-right $p |- ( -. ( ph -> ps ) -> -. ps ) $=
  ( contra-r w-imp ax-k )
  BABDBAEC $.

$( The consequent of a false implication implies anything. $)
refuted-any $p |- ( -. ( ph -> ps ) -> ( ps -> ch ) ) $=
  ( explode-d w-not w-imp refuted-right )
  ABFEBCABGD $.

$( The statement whose denial does not follow holds. $)
refuted-deny $p |- ( -. ( ph -> -. ps ) -> ps ) $=
  ( double-drop-d w-not w-imp refuted-right )
  ABDZEDBAGFC $.

${
  contra-three.1 $e |- ( ph -> ( ps -> ch ) ) $.
  $( A missing consequence makes its ground imply anything. $)
  contra-three $p |- ( ph -> ( -. ch -> ( ps -> th ) ) ) $=
    ( chain-end w-not w-imp contra-d explode )
    ACGBGBDHABCEIBDJF $.
$}

$( What follows from an implication follows from the antecedent's denial. $)
luka-third $p |- ( ( ( ph -> ps ) -> ch ) -> ( -. ph -> ch ) ) $=
  ( suffix-r w-not w-imp explode )
  AEABFCABGD $.

$( An implication is used by its two ways to be true. $)
either-imp $p |- ( ( -. ph -> ch ) -> ( ( ps -> ch ) -> ( ( ph -> ps ) -> ch
    ) ) ) $=
  ( swap-r w-imp w-not swap-d chain-end prefix by-cases )
  BCEZAFCEZABEZCEKMLCKMACELCEABCIACJHGD $.

${
  either-imp-r.1 $e |- ( -. ph -> ch ) $.
  either-imp-r.2 $e |- ( ps -> ch ) $.
  $( Rule form of ~ either-imp . $)
  either-imp-r $p |- ( ( ph -> ps ) -> ch ) $=
    ( by-cases-d w-imp prefix-r weaken-r w-not )
    ABGZACABCEHAJCGKDIF $.
$}

$( What follows from an implication and from its converse holds (Dummett).
   $)
linear $p |- ( ( ( ph -> ps ) -> ch ) -> ( ( ( ps -> ph ) -> ch ) -> ch ) )
    $=
  ( chain-mid w-imp w-not suffix-r refuted-any by-cases )
  BAEZCEABEZFZCEKCECLJCABAHGKCID $.

$( Peirce's law with a third statement. $)
roll $p |- ( ( ( ph -> ps ) -> ch ) -> ( ( ch -> ph ) -> ph ) ) $=
  ( chain-end w-imp suffix peirce-law )
  ABEZCECAEHAEAHCAFABGD $.

$( Lukasiewicz's single axiom for implication alone. $)
meredith-imp $p |- ( ( ( ph -> ps ) -> ch ) -> ( ( ch -> ph ) -> ( th -> ph
    ) ) ) $=
  ( swap-d w-imp weaken-d roll )
  ABFCFZDCAFZAIJAFDABCHGE $.

$( ---- Conjunction ---- $)

$( Definition of `and', first half: the first statement does not refute the
   second.  Definitions are pairs of implications, as these need no
   connective that is not defined yet. $)
def-and $a |- ( ( ph /\ ps ) -> -. ( ph -> -. ps ) ) $.

$( Definition of `and', second half. $)
def-and-back $a |- ( -. ( ph -> -. ps ) -> ( ph /\ ps ) ) $.

$( A conjunction implies its first part. $)
and-left $p |- ( ( ph /\ ps ) -> ph ) $=
  ( chain-r w-and w-not w-imp def-and refuted-left )
  ABDABEZFEAABGAIHC $.

$( A conjunction implies its second part. $)
and-right $p |- ( ( ph /\ ps ) -> ps ) $=
  ( chain-r w-and w-not w-imp def-and refuted-deny )
  ABDABEFEBABGABHC $.

${
  and-left-r.1 $e |- ( ph /\ ps ) $.
  $( The first part of a conjunction. $)
  and-left-r $p |- ph $=
    ( mp w-and and-left )
    ABEACABFD $.
$}

${
  and-right-r.1 $e |- ( ph /\ ps ) $.
  $( The second part of a conjunction. $)
  and-right-r $p |- ps $=
    ( mp w-and and-right )
    ABEBCABFD $.
$}

${
  and-left-d.1 $e |- ( ph -> ( ps /\ ch ) ) $.
  $( The first part of a conjunction, under an antecedent. $)
  and-left-d $p |- ( ph -> ps ) $=
    ( chain-r w-and and-left )
    ABCFBDBCGE $.
$}

${
  and-right-d.1 $e |- ( ph -> ( ps /\ ch ) ) $.
  $( The second part of a conjunction, under an antecedent. $)
  and-right-d $p |- ( ph -> ch ) $=
    ( chain-r w-and and-right )
    ABCFCDBCGE $.
$}

$( Two statements make a conjunction. $)
and-join $p |- ( ph -> ( ps -> ( ph /\ ps ) ) ) $=
  ( contrary-d w-and swap-r w-not contra-neg-r w-imp def-and-back )
  AABDZBJFABFZAKHJABIGEC $.

$( Two statements make a conjunction, the second first. $)
and-join-swap $p |- ( ph -> ( ps -> ( ps /\ ph ) ) ) $=
  ( swap-r w-and and-join )
  BABADBAEC $.

${
  and-join-r.1 $e |- ph $.
  and-join-r.2 $e |- ps $.
  $( Rule form of ~ and-join . $)
  and-join-r $p |- ( ph /\ ps ) $=
    ( mp w-and w-imp and-join )
    BABFZDABIGCABHEE $.
$}

${
  and-join-d.1 $e |- ( ph -> ps ) $.
  and-join-d.2 $e |- ( ph -> ch ) $.
  $( ~ and-join under an antecedent. $)
  and-join-d $p |- ( ph -> ( ps /\ ch ) ) $=
    ( chain-both w-and and-join )
    ABCBCGDEBCHF $.
$}

${
  and-first.1 $e |- ( ph -> ch ) $.
  $( What follows from the first part follows from the conjunction. $)
  and-first $p |- ( ( ph /\ ps ) -> ch ) $=
    ( chain-r w-and and-left )
    ABFACABGDE $.
$}

${
  and-second.1 $e |- ( ps -> ch ) $.
  $( What follows from the second part follows from the conjunction. $)
  and-second $p |- ( ( ph /\ ps ) -> ch ) $=
    ( chain-r w-and and-right )
    ABFBCABGDE $.
$}

${
  import-r.1 $e |- ( ph -> ( ps -> ch ) ) $.
  $( Importation: two antecedents become a conjunction. $)
  import-r $p |- ( ( ph /\ ps ) -> ch ) $=
    ( mp-d w-and and-right and-first w-imp )
    ABFBCABGABBCIDHE $.
$}

${
  export-r.1 $e |- ( ( ph /\ ps ) -> ch ) $.
  $( Exportation: a conjunction becomes two antecedents. $)
  export-r $p |- ( ph -> ( ps -> ch ) ) $=
    ( chain-end w-and and-join )
    ABABFCABGDE $.
$}

$( Importation, closed form. $)
import $p |- ( ( ph -> ( ps -> ch ) ) -> ( ( ph /\ ps ) -> ch ) ) $=
  ( swap-r w-and w-imp import-r swap-d assert )
  ABEABCFZFZCABKCFAKBCAJIHGD $.

$( Exportation, closed form. $)
export $p |- ( ( ( ph /\ ps ) -> ch ) -> ( ph -> ( ps -> ch ) ) ) $=
  ( swap-r w-imp w-and suffix-d and-join )
  AABFZCEBCEABICABHGD $.

${
  import-d.1 $e |- ( ph -> ( ps -> ( ch -> th ) ) ) $.
  $( Importation under an antecedent. $)
  import-d $p |- ( ph -> ( ( ps /\ ch ) -> th ) ) $=
    ( chain-r w-imp w-and import )
    ABCDGGBCHDGEBCDIF $.
$}

${
  export-d.1 $e |- ( ph -> ( ( ps /\ ch ) -> th ) ) $.
  $( Exportation under an antecedent. $)
  export-d $p |- ( ph -> ( ps -> ( ch -> th ) ) ) $=
    ( chain-r w-imp w-and export )
    ABCHDGBCDGGEBCDIF $.
$}

$( Modus ponens as one implication from a conjunction. $)
and-mp $p |- ( ( ph /\ ( ph -> ps ) ) -> ps ) $=
  ( import-r w-imp assert )
  AABDBABEC $.

$( Modus tollens as one implication from a conjunction. $)
and-tollens $p |- ( ( -. ps /\ ( ph -> ps ) ) -> -. ph ) $=
  ( import-r w-not w-imp swap-r contra )
  BDZABEZADZIHJABGFC $.

$( Syllogism as one implication from a conjunction. $)
and-chain $p |- ( ( ( ph -> ps ) /\ ( ps -> ch ) ) -> ( ph -> ch ) ) $=
  ( import-r w-imp suffix )
  ABEBCEACEABCFD $.

$( The parts of a conjunction may change places. $)
and-swap $p |- ( ( ph /\ ps ) -> ( ps /\ ph ) ) $=
  ( import-r w-and and-join-swap )
  ABBADABEC $.

${
  and-swap-d.1 $e |- ( ph -> ( ps /\ ch ) ) $.
  $( The parts of a conjunction may change places, under an antecedent. $)
  and-swap-d $p |- ( ph -> ( ch /\ ps ) ) $=
    ( chain-r w-and and-swap )
    ABCFCBFDBCGE $.
$}

${
  and-swap-left.1 $e |- ( ( ph /\ ps ) -> ch ) $.
  $( The parts of a conjunctive antecedent may change places. $)
  and-swap-left $p |- ( ( ps /\ ph ) -> ch ) $=
    ( chain-r w-and and-swap )
    BAFABFCBAGDE $.
$}

$( A statement may be said twice. $)
and-twice $p |- ( ph -> ( ph /\ ph ) ) $=
  ( contract-r w-and and-join )
  AAACAADB $.

${
  and-keep.1 $e |- ( ph -> ps ) $.
  $( Keep the antecedent beside what it implies. $)
  and-keep $p |- ( ph -> ( ph /\ ps ) ) $=
    ( and-join-d refl )
    AABAECD $.
$}

${
  and-mono.1 $e |- ( ph -> ps ) $.
  and-mono.2 $e |- ( ch -> th ) $.
  $( Both parts of a conjunction may be weakened. $)
  and-mono $p |- ( ( ph /\ ch ) -> ( ps /\ th ) ) $=
    ( and-join-d w-and and-first and-second )
    ACHBDACBEIACDFJG $.
$}

${
  and-mono-left.1 $e |- ( ph -> ps ) $.
  $( The first part of a conjunction may be weakened. $)
  and-mono-left $p |- ( ( ph /\ ch ) -> ( ps /\ ch ) ) $=
    ( and-mono refl )
    ABCCDCFE $.
$}

${
  and-mono-right.1 $e |- ( ph -> ps ) $.
  $( The second part of a conjunction may be weakened. $)
  and-mono-right $p |- ( ( ch /\ ph ) -> ( ch /\ ps ) ) $=
    ( and-mono refl )
    CCABCFDE $.
$}

$( The first part of a conjunction may be weakened, closed form. $)
and-mono-closed $p |- ( ( ph -> ps ) -> ( ( ph /\ ch ) -> ( ps /\ ch ) ) )
    $=
  ( import-d w-imp w-and prefix-r and-join )
  ABEACBCFZABCIEBCHGD $.

$( Brackets of a conjunction move to the right. $)
and-assoc $p |- ( ( ( ph /\ ps ) /\ ch ) -> ( ph /\ ( ps /\ ch ) ) ) $=
  ( and-join-d w-and and-first and-left and-right )
  ABEZCEZABCEICAABGFJBCICBABHFICHDD $.

$( Brackets of a conjunction move to the left. $)
and-assoc-back $p |- ( ( ph /\ ( ps /\ ch ) ) -> ( ( ph /\ ps ) /\ ch ) ) $=
  ( and-join-d w-and and-mono-right and-left and-second and-right )
  ABCEZEABECJBABCGFAJCBCIHD $.

$( The first two of three conjuncts change places. $)
and-exchange $p |- ( ( ph /\ ( ps /\ ch ) ) -> ( ps /\ ( ph /\ ch ) ) ) $=
  ( and-join-d w-and and-second and-left and-mono-right and-right )
  ABCEZEBACEAJBBCGFJCABCIHD $.

$( The inner two of four conjuncts change places. $)
and-square $p |- ( ( ( ph /\ ps ) /\ ( ch /\ th ) ) -> ( ( ph /\ ch ) /\ (
    ps /\ th ) ) ) $=
  ( and-join-d w-and and-mono and-left and-right )
  ABFZCDFZFACFBDFJAKCABHCDHGJBKDABICDIGE $.

$( Two consequents of one antecedent join. $)
and-target $p |- ( ( ( ph -> ps ) /\ ( ph -> ch ) ) -> ( ph -> ( ps /\ ch )
    ) ) $=
  ( mp-third w-and w-imp and-right and-first prefix-r and-join )
  ABFZACFZEACBCEZKLGKLACMFZFABNBCJIHD $.

$( A conjunctive consequent comes apart. $)
and-target-back $p |- ( ( ph -> ( ps /\ ch ) ) -> ( ( ph -> ps ) /\ ( ph ->
    ch ) ) ) $=
  ( and-join-d w-imp w-and prefix-r and-left and-right )
  ABCFZEABEACEAJBBCHGAJCBCIGD $.

$( Weaken the second part of a conjunction beside the first. $)
and-under $p |- ( ( ph -> ( ps -> ch ) ) -> ( ( ph /\ ps ) -> ( ph /\ ch ) )
    ) $=
  ( import-d w-imp w-and distribute-r prefix-d and-join )
  ABCEZEABACFZAJBKEACKBACIHGD $.

$( Leibniz's `praeclarum theorema': two implications side by side. $)
and-both $p |- ( ( ( ph -> ps ) /\ ( ch -> th ) ) -> ( ( ph /\ ch ) -> ( ps
    /\ th ) ) ) $=
  ( chain-both w-and w-imp and-first suffix-r and-left and-second and-right
  export-r and-target )
  ABGZCDGZFACFZBGZQDGZQBDFGZOPRQABACJIHOPSQCDACLIKRSTQBDNME $.

$( Conjunction distributes over itself. $)
and-distribute $p |- ( ( ph /\ ( ps /\ ch ) ) -> ( ( ph /\ ps ) /\ ( ph /\
    ch ) ) ) $=
  ( chain-r w-and and-mono-left and-twice and-square )
  ABCEZEAAEZIEABEACEEAJIAGFAABCHD $.

$( The law of contradiction. $)
not-both $p |- -. ( ph /\ -. ph ) $=
  ( self-refute-r w-and w-not import-r explode-swap )
  AADZCZAGHDZAIFEB $.

$( A contradiction implies anything. $)
and-absurd $p |- ( ( ph /\ -. ph ) -> ps ) $=
  ( explode-r w-and w-not not-both )
  AAEDBAFC $.

$( Of two statements that do not both hold, the first refutes the second. $)
not-and-imp $p |- ( -. ( ph /\ ps ) -> ( ph -> -. ps ) ) $=
  ( contra-neg-r w-imp w-not w-and def-and-back )
  ABEDABFABGC $.

$( The converse of ~ not-and-imp . $)
imp-not-and $p |- ( ( ph -> -. ps ) -> -. ( ph /\ ps ) ) $=
  ( contra-pos-r w-and w-imp w-not def-and )
  ABDABFEABGC $.

$( A false first part makes a false conjunction. $)
not-and-left $p |- ( -. ph -> -. ( ph /\ ps ) ) $=
  ( contra-r w-and and-left )
  ABDAABEC $.

$( A false second part makes a false conjunction. $)
not-and-right $p |- ( -. ps -> -. ( ph /\ ps ) ) $=
  ( contra-r w-and and-right )
  ABDBABEC $.

$( A false implication has a true antecedent and a false consequent. $)
refuted-and $p |- ( -. ( ph -> ps ) -> ( ph /\ -. ps ) ) $=
  ( and-join-d w-not w-imp refuted-left refuted-right )
  ABEDABDABFABGC $.

$( The converse of ~ refuted-and . $)
and-refuted $p |- ( ( ph /\ -. ps ) -> -. ( ph -> ps ) ) $=
  ( import-r w-not w-imp refute )
  ABDABEDABFC $.

${
  antilogism.1 $e |- ( ( ph /\ ps ) -> ch ) $.
  $( A syllogism whose conclusion fails has a false premise. $)
  antilogism $p |- ( ( ph /\ -. ch ) -> -. ps ) $=
    ( import-r w-not contra-d export-r )
    ACFBFABCABCDHGE $.
$}

$( What implies a statement and its denial is false, from a conjunction. $)
and-reductio $p |- ( ( ( ph -> ps ) /\ ( ph -> -. ps ) ) -> -. ph ) $=
  ( import-r w-imp w-not reductio )
  ABDABEDAEABFC $.

${
  and-cases.1 $e |- ( ( ph /\ ps ) -> ch ) $.
  and-cases.2 $e |- ( ( ph /\ -. ps ) -> ch ) $.
  $( Proof by cases, each beside the common assumption. $)
  and-cases $p |- ( ph -> ch ) $=
    ( by-cases-d export-r w-not )
    ABCABCDGABHCEGF $.
$}

$( ---- Disjunction ---- $)

$( Definition of `or', first half: if not the first, then the second. $)
def-or $a |- ( ( ph \/ ps ) -> ( -. ph -> ps ) ) $.

$( Definition of `or', second half. $)
def-or-back $a |- ( ( -. ph -> ps ) -> ( ph \/ ps ) ) $.

$( A disjunction follows from its first part. $)
or-left $p |- ( ph -> ( ph \/ ps ) ) $=
  ( chain-r w-imp w-not w-or explode-swap def-or-back )
  AAEBDABFABGABHC $.

$( A disjunction follows from its second part. $)
or-right $p |- ( ps -> ( ph \/ ps ) ) $=
  ( mp w-imp w-not w-or def-or-back drop-left )
  AEZBDABFZDBJDABGIBJHC $.

${
  or-left-r.1 $e |- ph $.
  $( Rule form of ~ or-left . $)
  or-left-r $p |- ( ph \/ ps ) $=
    ( mp w-or or-left )
    AABECABFD $.
$}

${
  or-right-r.1 $e |- ps $.
  $( Rule form of ~ or-right . $)
  or-right-r $p |- ( ph \/ ps ) $=
    ( mp w-or or-right )
    BABECABFD $.
$}

${
  or-left-d.1 $e |- ( ph -> ps ) $.
  $( ~ or-left under an antecedent. $)
  or-left-d $p |- ( ph -> ( ps \/ ch ) ) $=
    ( chain-r w-or or-left )
    ABBCFDBCGE $.
$}

${
  or-right-d.1 $e |- ( ph -> ch ) $.
  $( ~ or-right under an antecedent. $)
  or-right-d $p |- ( ph -> ( ps \/ ch ) ) $=
    ( chain-r w-or or-right )
    ACBCFDBCGE $.
$}

$( A statement or its denial holds. $)
excluded-middle $p |- ( ph \/ -. ph ) $=
  ( mp w-imp w-not w-or def-or-back drop-true )
  ADZHCAHEZCIAHFHIGB $.

${
  or-intro-neg.1 $e |- ( -. ph -> ps ) $.
  $( To prove a disjunction, deny its first part and prove the second. $)
  or-intro-neg $p |- ( ph \/ ps ) $=
    ( mp w-imp w-not w-or def-or-back )
    AFBEABGCABHD $.
$}

${
  or-rest.1 $e |- -. ph $.
  or-rest.2 $e |- ( ph \/ ps ) $.
  $( Disjunctive syllogism: without the first part, the second. $)
  or-rest $p |- ps $=
    ( mp w-not w-or w-imp def-or )
    AFZBCABGJBHDABIEE $.
$}

${
  or-rest-left.1 $e |- -. ps $.
  or-rest-left.2 $e |- ( ph \/ ps ) $.
  $( Disjunctive syllogism: without the second part, the first. $)
  or-rest-left $p |- ph $=
    ( mp w-not w-or w-imp contra-neg-d def-or )
    BFZACABGZKAHDLABABJIEE $.
$}

${
  or-rest-d.1 $e |- ( ph -> -. ps ) $.
  or-rest-d.2 $e |- ( ph -> ( ps \/ ch ) ) $.
  $( Disjunctive syllogism under an antecedent. $)
  or-rest-d $p |- ( ph -> ch ) $=
    ( chain-both w-or w-not def-or )
    ABCGBHCEDBCIF $.
$}

${
  or-cases.1 $e |- ( ph -> ch ) $.
  or-cases.2 $e |- ( ps -> ch ) $.
  $( What follows from both parts follows from the disjunction. $)
  or-cases $p |- ( ( ph \/ ps ) -> ch ) $=
    ( by-cases-d w-or weaken-r w-imp chain-end w-not def-or )
    ABGZACACIMDHMAKBCABLEJF $.
$}

${
  or-cases-r.1 $e |- ( ph \/ ps ) $.
  or-cases-r.2 $e |- ( ph -> ch ) $.
  or-cases-r.3 $e |- ( ps -> ch ) $.
  $( Proof by cases from a disjunction. $)
  or-cases-r $p |- ch $=
    ( mp w-or or-cases )
    ABHCDABCEFIG $.
$}

$( Proof by cases, closed form. $)
or-cases-closed $p |- ( ( ph -> ch ) -> ( ( ps -> ch ) -> ( ( ph \/ ps ) ->
    ch ) ) ) $=
  ( chain-mid w-imp w-or w-not swap-r suffix-d def-or prefix-d by-cases )
  BCEZABFZAGZCEZEACEZNCENMPNOBCABJIHQPCNACLKD $.

${
  or-cases-d.1 $e |- ( ph -> ( ps -> th ) ) $.
  or-cases-d.2 $e |- ( ph -> ( ch -> th ) ) $.
  $( Proof by cases under an antecedent. $)
  or-cases-d $p |- ( ph -> ( ( ps \/ ch ) -> th ) ) $=
    ( swap-r w-or or-cases w-imp )
    BCHADBCADJABDEGACDFGIG $.
$}

$( The parts of a disjunction may change places. $)
or-swap $p |- ( ( ph \/ ps ) -> ( ps \/ ph ) ) $=
  ( or-cases w-or or-right or-left )
  ABBADBAEBAFC $.

${
  or-swap-r.1 $e |- ( ph \/ ps ) $.
  $( Rule form of ~ or-swap . $)
  or-swap-r $p |- ( ps \/ ph ) $=
    ( mp w-or or-swap )
    ABEBAECABFD $.
$}

$( A disjunction of a statement with itself is that statement. $)
or-twice $p |- ( ( ph \/ ph ) -> ph ) $=
  ( or-cases refl )
  AAAACZDB $.

${
  or-mono.1 $e |- ( ph -> ps ) $.
  or-mono.2 $e |- ( ch -> th ) $.
  $( Both parts of a disjunction may be weakened: constructive dilemma. $)
  or-mono $p |- ( ( ph \/ ch ) -> ( ps \/ th ) ) $=
    ( or-cases w-or or-left-d or-right-d )
    ACBDHABDEICBDFJG $.
$}

${
  or-mono-left.1 $e |- ( ph -> ps ) $.
  $( The first part of a disjunction may be weakened. $)
  or-mono-left $p |- ( ( ph \/ ch ) -> ( ps \/ ch ) ) $=
    ( or-mono refl )
    ABCCDCFE $.
$}

${
  or-mono-right.1 $e |- ( ph -> ps ) $.
  $( The second part of a disjunction may be weakened. $)
  or-mono-right $p |- ( ( ch \/ ph ) -> ( ch \/ ps ) ) $=
    ( or-mono refl )
    CCABCFDE $.
$}

$( The second part of a disjunction may be weakened, closed form. $)
or-mono-closed $p |- ( ( ph -> ps ) -> ( ( ch \/ ph ) -> ( ch \/ ps ) ) ) $=
  ( or-cases-d w-imp w-or weaken-r or-left prefix-r or-right )
  ABEZCACBFZCLEKCBHGABLCBJID $.

${
  dilemma.1 $e |- ( ph \/ ch ) $.
  dilemma.2 $e |- ( ph -> ps ) $.
  dilemma.3 $e |- ( ch -> th ) $.
  $( Constructive dilemma as a rule. $)
  dilemma $p |- ( ps \/ th ) $=
    ( mp w-or or-mono )
    ACIBDIEABCDFGJH $.
$}

${
  dilemma-neg.1 $e |- ( -. ps \/ -. th ) $.
  dilemma-neg.2 $e |- ( ph -> ps ) $.
  dilemma-neg.3 $e |- ( ch -> th ) $.
  $( Destructive dilemma as a rule. $)
  dilemma-neg $p |- ( -. ph \/ -. ch ) $=
    ( mp w-or w-not or-mono contra-r )
    BJZDJZIAJZCJZIEMONPABFLCDGLKH $.
$}

$( Brackets of a disjunction move to the right. $)
or-assoc $p |- ( ( ( ph \/ ps ) \/ ch ) -> ( ph \/ ( ps \/ ch ) ) ) $=
  ( or-cases w-or or-mono-right or-left or-right-d or-right )
  ABECABCEZEBJABCGFCAJBCIHD $.

$( Brackets of a disjunction move to the left. $)
or-assoc-back $p |- ( ( ph \/ ( ps \/ ch ) ) -> ( ( ph \/ ps ) \/ ch ) ) $=
  ( or-cases w-or or-left-d or-left or-mono-left or-right )
  ABCEABEZCEAJCABGFBJCABIHD $.

$( The first two of three disjuncts change places. $)
or-exchange $p |- ( ( ph \/ ( ps \/ ch ) ) -> ( ps \/ ( ph \/ ch ) ) ) $=
  ( or-cases w-or or-right-d or-left or-mono-right or-right )
  ABCEBACEZEABJACGFCJBACIHD $.

$( The inner two of four disjuncts change places. $)
or-square $p |- ( ( ( ph \/ ps ) \/ ( ch \/ th ) ) -> ( ( ph \/ ch ) \/ ( ps
    \/ th ) ) ) $=
  ( or-cases w-or or-mono or-left or-right )
  ABFCDFACFZBDFZFAJBKACHBDHGCJDKACIBDIGE $.

$( An implication is a disjunction. $)
imp-or $p |- ( ( ph -> ps ) -> ( -. ph \/ ps ) ) $=
  ( either-imp-r w-or w-not or-left or-right )
  ABAEZBDHBFHBGC $.

$( The converse of ~ imp-or . $)
or-imp $p |- ( ( -. ph \/ ps ) -> ( ph -> ps ) ) $=
  ( contrary-d w-or w-not contra-neg-d def-or )
  AEZBDZBAIHBHBGFC $.

$( A statement follows from any other or implies any other. $)
or-imp-pair $p |- ( ( ph -> ps ) \/ ( ps -> ch ) ) $=
  ( or-intro-neg w-imp refuted-any )
  ABEBCEABCFD $.

$( A statement holds or implies anything. $)
or-peirce $p |- ( ph \/ ( ph -> ps ) ) $=
  ( or-intro-neg w-imp explode )
  AABDABEC $.

$( Disjunction can be said by implication alone. $)
or-conclude $p |- ( ( ( ph -> ps ) -> ps ) -> ( ph \/ ps ) ) $=
  ( chain-r w-imp w-not w-or luka-third def-or-back )
  ABDBDAEBDABFABBGABHC $.

$( The converse of ~ or-conclude . $)
conclude-or $p |- ( ( ph \/ ps ) -> ( ( ph -> ps ) -> ps ) ) $=
  ( or-cases w-imp assert ax-k )
  ABABDZBDABEBGFC $.

$( A false disjunction has a false first part. $)
not-or-left $p |- ( -. ( ph \/ ps ) -> -. ph ) $=
  ( contra-r w-or or-left )
  AABDABEC $.

$( A false disjunction has a false second part. $)
not-or-right $p |- ( -. ( ph \/ ps ) -> -. ps ) $=
  ( contra-r w-or or-right )
  BABDABEC $.

$( De Morgan: neither statement holds. $)
de-morgan-or $p |- ( -. ( ph \/ ps ) -> ( -. ph /\ -. ps ) ) $=
  ( and-join-d w-not w-or not-or-left not-or-right )
  ABEDADBDABFABGC $.

$( De Morgan: the converse of ~ de-morgan-or . $)
de-morgan-or-back $p |- ( ( -. ph /\ -. ps ) -> -. ( ph \/ ps ) ) $=
  ( import-r w-not w-or contra-d swap-r def-or )
  ADZBDABEZDIJBJIBABHGFC $.

$( De Morgan: one of the two does not hold. $)
de-morgan-and $p |- ( -. ( ph /\ ps ) -> ( -. ph \/ -. ps ) ) $=
  ( chain-r w-not w-and w-imp w-or not-and-imp imp-or )
  ABEDABDZFADJGABHAJIC $.

$( De Morgan: the converse of ~ de-morgan-and . $)
de-morgan-and-back $p |- ( ( -. ph \/ -. ps ) -> -. ( ph /\ ps ) ) $=
  ( or-cases w-not w-and not-and-left not-and-right )
  ADBDABEDABFABGC $.

$( Conjunction can be said by denial and disjunction. $)
and-by-or $p |- ( -. ( -. ph \/ -. ps ) -> ( ph /\ ps ) ) $=
  ( contra-neg-r w-and w-or w-not de-morgan-and )
  ABDAFBFEABGC $.

$( Disjunction can be said by denial and conjunction. $)
or-by-and $p |- ( -. ( -. ph /\ -. ps ) -> ( ph \/ ps ) ) $=
  ( contra-neg-r w-or w-and w-not de-morgan-or )
  ABDAFBFEABGC $.

$( Both is more than one of both. $)
and-or $p |- ( ( ph /\ ps ) -> ( ph \/ ps ) ) $=
  ( and-first w-or or-left )
  ABABDABEC $.

$( A statement holds beside its disjunction with any other. $)
absorb-and-back $p |- ( ph -> ( ph /\ ( ph \/ ps ) ) ) $=
  ( and-keep w-or or-left )
  AABDABEC $.

$( Absorption of a conjunction. $)
absorb-or $p |- ( ( ph \/ ( ph /\ ps ) ) -> ph ) $=
  ( or-cases w-and refl and-left )
  AABDAAEABFC $.

$( Conjunction distributes over disjunction. $)
and-over-or $p |- ( ( ph /\ ( ps \/ ch ) ) -> ( ( ph /\ ps ) \/ ( ph /\ ch )
    ) ) $=
  ( import-r w-or w-and or-cases-d export-r or-left or-right )
  ABCEABFZACFZEZABCMABMKLIHACMKLJHGD $.

$( The converse of ~ and-over-or . $)
and-over-or-back $p |- ( ( ( ph /\ ps ) \/ ( ph /\ ch ) ) -> ( ph /\ ( ps \/
    ch ) ) ) $=
  ( or-cases w-and w-or and-mono-right or-left or-right )
  ABEACEABCFZEBJABCHGCJABCIGD $.

$( Disjunction distributes over conjunction. $)
or-over-and $p |- ( ( ph \/ ( ps /\ ch ) ) -> ( ( ph \/ ps ) /\ ( ph \/ ch )
    ) ) $=
  ( and-join-d w-or w-and or-mono-right and-left and-right )
  ABCFZEABEACEJBABCHGJCABCIGD $.

$( The converse of ~ or-over-and . $)
or-over-and-back $p |- ( ( ( ph \/ ps ) /\ ( ph \/ ch ) ) -> ( ph \/ ( ps /\
    ch ) ) ) $=
  ( chain-r w-and w-or w-imp w-not and-join-d and-first def-or and-second
  and-target def-or-back )
  ABFZACFZEZAHZBCEZGZASFQRBGZRCGZETQUAUBOPUAABKJOPUBACKLIRBCMDASND $.

$( Disjunction distributes over implication. $)
or-over-imp $p |- ( ( ph \/ ( ps -> ch ) ) -> ( ( ph \/ ps ) -> ( ph \/ ch )
    ) ) $=
  ( or-cases w-imp w-or weaken-d or-left or-mono-closed )
  ABCEABFZACFZEAKJACHGBCAID $.

$( A disjunctive consequent comes apart. $)
imp-over-or $p |- ( ( ph -> ( ps \/ ch ) ) -> ( ( ph -> ps ) \/ ( ph -> ch )
    ) ) $=
  ( either-imp-r w-or w-imp or-left-d w-not explode or-mono ax-k )
  ABCEABFZACFZEAHLMABIGBLCMBAKCAKJD $.

$( The converse of ~ imp-over-or . $)
imp-over-or-back $p |- ( ( ( ph -> ps ) \/ ( ph -> ch ) ) -> ( ph -> ( ps \/
    ch ) ) ) $=
  ( or-cases w-imp w-or prefix-r or-left or-right )
  ABEACEABCFZEABJBCHGACJBCIGD $.

$( Two antecedents of one consequent join. $)
or-source $p |- ( ( ( ph -> ch ) /\ ( ps -> ch ) ) -> ( ( ph \/ ps ) -> ch )
    ) $=
  ( import-r w-imp w-or or-cases-closed )
  ACEBCEABFCEABCGD $.

$( A disjunctive antecedent comes apart. $)
or-source-back $p |- ( ( ( ph \/ ps ) -> ch ) -> ( ( ph -> ch ) /\ ( ps ->
    ch ) ) ) $=
  ( and-join-d w-imp w-or suffix-r or-left or-right )
  ABFZCEACEBCEAJCABHGBJCABIGD $.

$( What follows from two statements together follows from one of them,
   whichever it may be. $)
and-source $p |- ( ( ( ph /\ ps ) -> ch ) -> ( ( ph -> ch ) \/ ( ps -> ch )
    ) ) $=
  ( chain-r w-imp w-and w-not w-or swap-r contra-neg-d contra-three export
  def-or-back )
  ABFCEZACEZGZBCEZEOQHPNQNPQNQONAQCABCLKJIIOQMD $.

$( Robinson's resolution: a statement and its denial cancel. $)
resolve $p |- ( ( ( ph \/ ps ) /\ ( -. ph \/ ch ) ) -> ( ps \/ ch ) ) $=
  ( by-cases-d w-and w-or w-not and-second w-imp chain-end or-imp or-right
  and-first def-or or-left )
  ABFZAGZCFZEABCFZPRASIRACSACKBCLJHPRQSIPQBSABNBCOJMD $.

${
  resolve-r.1 $e |- ( ph \/ ps ) $.
  resolve-r.2 $e |- ( -. ph \/ ch ) $.
  $( Resolution as a rule. $)
  resolve-r $p |- ( ps \/ ch ) $=
    ( mp w-and w-or w-not and-join-r resolve )
    ABHZAICHZGBCHLMDEJABCKF $.
$}

$( The consensus of two conjunctions implies their disjunction. $)
consensus-or $p |- ( ( ps /\ ch ) -> ( ( ph /\ ps ) \/ ( -. ph /\ ch ) ) )
    $=
  ( by-cases-r w-imp w-and w-or w-not export-r or-left-d and-mono-right
  and-left or-right-d and-right )
  ABCFZABFZAHZCFZGZEAOSAOFPROBABCLKJIQOSQOFPROCQBCNKMID $.

$( A statement holds with another or without it. $)
split-case $p |- ( ph -> ( ( ph /\ ps ) \/ ( ph /\ -. ps ) ) ) $=
  ( and-cases w-or w-and w-not or-left or-right )
  ABABEZABFEZDIJGIJHC $.

$( Constructive dilemma, closed form. $)
dilemma-and $p |- ( ( ( ph -> ps ) /\ ( ch -> th ) ) -> ( ( ph \/ ch ) -> (
    ps \/ th ) ) ) $=
  ( or-cases-d w-and w-imp w-or and-first prefix-r or-left and-second
  or-right )
  ABGZCDGZFACBDHZNOAPGABPBDKJINOCPGCDPBDMJLE $.

$( ---- Biconditional ---- $)

$( Definition of `if and only if', first half: implication both ways. $)
def-iff $a |- ( ( ph <-> ps ) -> ( ( ph -> ps ) /\ ( ps -> ph ) ) ) $.

$( Definition of `if and only if', second half. $)
def-iff-back $a |- ( ( ( ph -> ps ) /\ ( ps -> ph ) ) -> ( ph <-> ps ) ) $.

$( A biconditional implies the implication forward. $)
iff-forth $p |- ( ( ph <-> ps ) -> ( ph -> ps ) ) $=
  ( and-left-d w-iff w-imp def-iff )
  ABDABEBAEABFC $.

$( A biconditional implies the implication backward. $)
iff-back $p |- ( ( ph <-> ps ) -> ( ps -> ph ) ) $=
  ( and-right-d w-iff w-imp def-iff )
  ABDABEBAEABFC $.

${
  iff-forth-r.1 $e |- ( ph <-> ps ) $.
  $( Rule form of ~ iff-forth . $)
  iff-forth-r $p |- ( ph -> ps ) $=
    ( mp w-iff w-imp iff-forth )
    ABEABFCABGD $.
$}

${
  iff-back-r.1 $e |- ( ph <-> ps ) $.
  $( Rule form of ~ iff-back . $)
  iff-back-r $p |- ( ps -> ph ) $=
    ( mp w-iff w-imp iff-back )
    ABEBAFCABGD $.
$}

${
  iff-forth-d.1 $e |- ( ph -> ( ps <-> ch ) ) $.
  $( ~ iff-forth under an antecedent. $)
  iff-forth-d $p |- ( ph -> ( ps -> ch ) ) $=
    ( chain-r w-iff w-imp iff-forth )
    ABCFBCGDBCHE $.
$}

${
  iff-back-d.1 $e |- ( ph -> ( ps <-> ch ) ) $.
  $( ~ iff-back under an antecedent. $)
  iff-back-d $p |- ( ph -> ( ch -> ps ) ) $=
    ( chain-r w-iff w-imp iff-back )
    ABCFCBGDBCHE $.
$}

${
  iff-r.1 $e |- ( ph -> ps ) $.
  iff-r.2 $e |- ( ps -> ph ) $.
  $( Two converse implications make a biconditional. $)
  iff-r $p |- ( ph <-> ps ) $=
    ( mp w-and w-imp w-iff and-join-r def-iff-back )
    ABGZBAGZFABHKLCDIABJE $.
$}

${
  iff-d.1 $e |- ( ph -> ( ps -> ch ) ) $.
  iff-d.2 $e |- ( ph -> ( ch -> ps ) ) $.
  $( ~ iff-r under an antecedent. $)
  iff-d $p |- ( ph -> ( ps <-> ch ) ) $=
    ( chain-r w-and w-imp w-iff and-join-d def-iff-back )
    ABCHZCBHZGBCIALMDEJBCKF $.
$}

$( Two converse implications make a biconditional, closed form. $)
iff-closed $p |- ( ( ph -> ps ) -> ( ( ps -> ph ) -> ( ph <-> ps ) ) ) $=
  ( export-r w-imp w-iff def-iff-back )
  ABDBADABEABFC $.

${
  iff-mp.1 $e |- ph $.
  iff-mp.2 $e |- ( ph <-> ps ) $.
  $( Modus ponens for a biconditional, forward. $)
  iff-mp $p |- ps $=
    ( mp iff-forth-r )
    ABCABDFE $.
$}

${
  iff-mp-back.1 $e |- ps $.
  iff-mp-back.2 $e |- ( ph <-> ps ) $.
  $( Modus ponens for a biconditional, backward. $)
  iff-mp-back $p |- ph $=
    ( mp iff-back-r )
    BACABDFE $.
$}

$( Every statement is equivalent to itself. $)
iff-refl $p |- ( ph <-> ph ) $=
  ( iff-r refl )
  AAACZDB $.

${
  iff-sym-r.1 $e |- ( ph <-> ps ) $.
  $( Equivalence is symmetric. $)
  iff-sym-r $p |- ( ps <-> ph ) $=
    ( iff-r iff-back-r iff-forth-r )
    BAABCEABCFD $.
$}

$( Equivalence is symmetric, closed form. $)
iff-sym $p |- ( ( ph <-> ps ) -> ( ps <-> ph ) ) $=
  ( iff-d w-iff iff-back iff-forth )
  ABDBAABEABFC $.

${
  iff-trans-r.1 $e |- ( ph <-> ps ) $.
  iff-trans-r.2 $e |- ( ps <-> ch ) $.
  $( Equivalence is transitive. $)
  iff-trans-r $p |- ( ph <-> ch ) $=
    ( iff-r chain-r iff-forth-r iff-back-r )
    ACABCABDHBCEHGCBABCEIABDIGF $.
$}

$( Equivalence is transitive, closed form. $)
iff-trans $p |- ( ( ph <-> ps ) -> ( ( ps <-> ch ) -> ( ph <-> ch ) ) ) $=
  ( export-r w-iff iff-d w-and import-r w-imp chain-mid iff-forth suffix-d
  iff-back prefix-d )
  ABEZBCEZACEOPGACOPACIZPBCIOQBCKOABCABKLJHOPCAIZPCBIORBCMOBACABMNJHFD $.

${
  iff-trans-back.1 $e |- ( ph <-> ps ) $.
  iff-trans-back.2 $e |- ( ch <-> ps ) $.
  $( Two statements equivalent to a third are equivalent. $)
  iff-trans-back $p |- ( ph <-> ch ) $=
    ( iff-trans-r iff-sym-r )
    ABCDCBEGF $.
$}

${
  iff-trans-d.1 $e |- ( ph -> ( ps <-> ch ) ) $.
  iff-trans-d.2 $e |- ( ph -> ( ch <-> th ) ) $.
  $( Equivalence is transitive, under an antecedent. $)
  iff-trans-d $p |- ( ph -> ( ps <-> th ) ) $=
    ( chain-both w-iff iff-trans )
    ABCHCDHBDHEFBCDIG $.
$}

$( Any two true statements are equivalent. $)
iff-true $p |- ( ph -> ( ps -> ( ph <-> ps ) ) ) $=
  ( mp w-imp w-iff iff-closed swap-d drop-left )
  BADZBABEZDZDZAKDABDIJDZDZLABFNBIJABMHGCBAKHC $.

$( Any two false statements are equivalent. $)
iff-false $p |- ( -. ph -> ( -. ps -> ( ph <-> ps ) ) ) $=
  ( mp w-imp w-not w-iff swap-r iff-closed luka-third )
  ABDZBEZABFZDZDAEMDKJLBADZJLDZDKODJNLABHGBAOICGABMIC $.

$( A truth's equivalents are true. $)
iff-given $p |- ( ph -> ( ( ph <-> ps ) -> ps ) ) $=
  ( swap-r w-iff iff-forth )
  ABDABABEC $.

$( A true antecedent makes no difference. $)
true-iff $p |- ( ph -> ( ps <-> ( ph -> ps ) ) ) $=
  ( iff-d w-imp weaken-r ax-k assert )
  ABABDZBHDABAFEABGC $.

${
  iff-not-r.1 $e |- ( ph <-> ps ) $.
  $( Denials of equivalent statements are equivalent. $)
  iff-not-r $p |- ( -. ph <-> -. ps ) $=
    ( iff-r w-not contra-r iff-back-r iff-forth-r )
    AEBEBAABCGFABABCHFD $.
$}

$( Denials of equivalent statements are equivalent, closed form. $)
iff-not $p |- ( ( ph <-> ps ) -> ( -. ph <-> -. ps ) ) $=
  ( iff-d w-iff w-not contra-d iff-back iff-forth )
  ABDZAEBEIBAABGFIABABHFC $.

$( The converse of ~ iff-not . $)
iff-not-back $p |- ( ( -. ph <-> -. ps ) -> ( ph <-> ps ) ) $=
  ( iff-d w-iff w-not contrary-d iff-back iff-forth )
  AEZBEZDZABKBAIJGFKABIJHFC $.

${
  iff-imp-left.1 $e |- ( ph <-> ps ) $.
  $( Equivalent antecedents make equivalent implications. $)
  iff-imp-left $p |- ( ( ph -> ch ) <-> ( ps -> ch ) ) $=
    ( iff-r w-imp suffix-r iff-back-r iff-forth-r )
    ACFBCFBACABDHGABCABDIGE $.
$}

${
  iff-imp-right.1 $e |- ( ph <-> ps ) $.
  $( Equivalent consequents make equivalent implications. $)
  iff-imp-right $p |- ( ( ch -> ph ) <-> ( ch -> ps ) ) $=
    ( iff-r w-imp prefix-r iff-forth-r iff-back-r )
    CAFCBFCABABDHGCBAABDIGE $.
$}

${
  iff-imp.1 $e |- ( ph <-> ps ) $.
  iff-imp.2 $e |- ( ch <-> th ) $.
  $( Implications of equivalent statements are equivalent. $)
  iff-imp $p |- ( ( ph -> ch ) <-> ( ps -> th ) ) $=
    ( iff-trans-r w-imp iff-imp-left iff-imp-right )
    ACHBCHBDHABCEICDBFJG $.
$}

${
  iff-and-left.1 $e |- ( ph <-> ps ) $.
  $( Equivalent first parts make equivalent conjunctions. $)
  iff-and-left $p |- ( ( ph /\ ch ) <-> ( ps /\ ch ) ) $=
    ( iff-r w-and and-mono-left iff-forth-r iff-back-r )
    ACFBCFABCABDHGBACABDIGE $.
$}

${
  iff-and-right.1 $e |- ( ph <-> ps ) $.
  $( Equivalent second parts make equivalent conjunctions. $)
  iff-and-right $p |- ( ( ch /\ ph ) <-> ( ch /\ ps ) ) $=
    ( iff-r w-and and-mono-right iff-forth-r iff-back-r )
    CAFCBFABCABDHGBACABDIGE $.
$}

${
  iff-and.1 $e |- ( ph <-> ps ) $.
  iff-and.2 $e |- ( ch <-> th ) $.
  $( Conjunctions of equivalent statements are equivalent. $)
  iff-and $p |- ( ( ph /\ ch ) <-> ( ps /\ th ) ) $=
    ( iff-trans-r w-and iff-and-left iff-and-right )
    ACHBCHBDHABCEICDBFJG $.
$}

${
  iff-or-left.1 $e |- ( ph <-> ps ) $.
  $( Equivalent first parts make equivalent disjunctions. $)
  iff-or-left $p |- ( ( ph \/ ch ) <-> ( ps \/ ch ) ) $=
    ( iff-r w-or or-mono-left iff-forth-r iff-back-r )
    ACFBCFABCABDHGBACABDIGE $.
$}

${
  iff-or-right.1 $e |- ( ph <-> ps ) $.
  $( Equivalent second parts make equivalent disjunctions. $)
  iff-or-right $p |- ( ( ch \/ ph ) <-> ( ch \/ ps ) ) $=
    ( iff-r w-or or-mono-right iff-forth-r iff-back-r )
    CAFCBFABCABDHGBACABDIGE $.
$}

${
  iff-or.1 $e |- ( ph <-> ps ) $.
  iff-or.2 $e |- ( ch <-> th ) $.
  $( Disjunctions of equivalent statements are equivalent. $)
  iff-or $p |- ( ( ph \/ ch ) <-> ( ps \/ th ) ) $=
    ( iff-trans-r w-or iff-or-left iff-or-right )
    ACHBCHBDHABCEICDBFJG $.
$}

$( Equivalence is commutative. $)
iff-swap-iff $p |- ( ( ph <-> ps ) <-> ( ps <-> ph ) ) $=
  ( iff-r w-iff iff-sym )
  ABDBADABEBAEC $.

${
  iff-iff-left.1 $e |- ( ph <-> ps ) $.
  $( Equivalent left sides make equivalent biconditionals. $)
  iff-iff-left $p |- ( ( ph <-> ch ) <-> ( ps <-> ch ) ) $=
    ( iff-r w-iff mp w-imp iff-sym-r iff-trans )
    ACFZBCFZBAFKLHABDIBACJGABFLKHDABCJGE $.
$}

${
  iff-iff-right.1 $e |- ( ph <-> ps ) $.
  $( Equivalent right sides make equivalent biconditionals. $)
  iff-iff-right $p |- ( ( ch <-> ph ) <-> ( ch <-> ps ) ) $=
    ( iff-trans-r w-iff iff-swap-iff iff-iff-left )
    CAFACFZCBFZCAGIBCFJABCDHBCGEE $.
$}

${
  iff-iff.1 $e |- ( ph <-> ps ) $.
  iff-iff.2 $e |- ( ch <-> th ) $.
  $( Biconditionals of equivalent statements are equivalent. $)
  iff-iff $p |- ( ( ph <-> ch ) <-> ( ps <-> th ) ) $=
    ( iff-trans-r w-iff iff-iff-left iff-iff-right )
    ACHBCHBDHABCEICDBFJG $.
$}

${
  iff-imp-d.1 $e |- ( ph -> ( ps <-> ch ) ) $.
  $( Equivalent antecedents make equivalent implications, under an antecedent.
     $)
  iff-imp-d $p |- ( ph -> ( ( ps -> th ) <-> ( ch -> th ) ) ) $=
    ( iff-d w-imp suffix-d iff-back-d iff-forth-d )
    ABDGCDGACBDABCEIHABCDABCEJHF $.
$}

$( A statement is equivalent to its double denial. $)
double-iff $p |- ( ph <-> -. -. ph ) $=
  ( iff-r w-not double-add double-drop )
  AACCADAEB $.

$( An implication is equivalent to its contrapositive. $)
contra-iff $p |- ( ( ph -> ps ) <-> ( -. ps -> -. ph ) ) $=
  ( iff-r w-imp w-not contra ax-n )
  ABDBEAEDABFBAGC $.

$( Contraposition of an implication to a denial, both ways. $)
contra-pos-iff $p |- ( ( ph -> -. ps ) <-> ( ps -> -. ph ) ) $=
  ( iff-r w-imp w-not contra-pos )
  ABEDBAEDABFBAFC $.

$( Two antecedents may change places, both ways. $)
swap-iff $p |- ( ( ph -> ( ps -> ch ) ) <-> ( ps -> ( ph -> ch ) ) ) $=
  ( iff-r w-imp swap )
  ABCEEBACEEABCFBACFD $.

$( An antecedent distributes over an implication, both ways. $)
distribute-iff $p |- ( ( ph -> ( ps -> ch ) ) <-> ( ( ph -> ps ) -> ( ph ->
    ch ) ) ) $=
  ( iff-r w-imp ax-s undistribute )
  ABCEEABEACEEABCFABCGD $.

$( The same antecedent once or twice. $)
contract-iff $p |- ( ( ph -> ps ) <-> ( ph -> ( ph -> ps ) ) ) $=
  ( iff-r w-imp ax-k contract )
  ABDZAGDGAEABFC $.

$( Importation and exportation. $)
import-iff $p |- ( ( ph -> ( ps -> ch ) ) <-> ( ( ph /\ ps ) -> ch ) ) $=
  ( iff-r w-imp w-and import export )
  ABCEEABFCEABCGABCHD $.

$( Conjunction is commutative. $)
and-swap-iff $p |- ( ( ph /\ ps ) <-> ( ps /\ ph ) ) $=
  ( iff-r w-and and-swap )
  ABDBADABEBAEC $.

$( Conjunction is associative. $)
and-assoc-iff $p |- ( ( ( ph /\ ps ) /\ ch ) <-> ( ph /\ ( ps /\ ch ) ) ) $=
  ( iff-r w-and and-assoc and-assoc-back )
  ABECEABCEEABCFABCGD $.

$( Conjunction is idempotent. $)
and-twice-iff $p |- ( ph <-> ( ph /\ ph ) ) $=
  ( iff-r w-and and-twice and-left )
  AAACADAAEB $.

$( Disjunction is commutative. $)
or-swap-iff $p |- ( ( ph \/ ps ) <-> ( ps \/ ph ) ) $=
  ( iff-r w-or or-swap )
  ABDBADABEBAEC $.

$( Disjunction is associative. $)
or-assoc-iff $p |- ( ( ( ph \/ ps ) \/ ch ) <-> ( ph \/ ( ps \/ ch ) ) ) $=
  ( iff-r w-or or-assoc or-assoc-back )
  ABECEABCEEABCFABCGD $.

$( Disjunction is idempotent. $)
or-twice-iff $p |- ( ph <-> ( ph \/ ph ) ) $=
  ( iff-r w-or or-left or-twice )
  AAACAADAEB $.

$( Implication by denial and disjunction. $)
imp-or-iff $p |- ( ( ph -> ps ) <-> ( -. ph \/ ps ) ) $=
  ( iff-r w-imp w-or w-not imp-or or-imp )
  ABDAFBEABGABHC $.

$( Disjunction by implication. $)
or-imp-iff $p |- ( ( ph \/ ps ) <-> ( ( ph -> ps ) -> ps ) ) $=
  ( iff-r w-or w-imp conclude-or or-conclude )
  ABDABEBEABFABGC $.

$( Conjunction distributes over disjunction, both ways. $)
and-over-or-iff $p |- ( ( ph /\ ( ps \/ ch ) ) <-> ( ( ph /\ ps ) \/ ( ph /\
    ch ) ) ) $=
  ( iff-r w-and w-or and-over-or and-over-or-back )
  ABCFEABEACEFABCGABCHD $.

$( Disjunction distributes over conjunction, both ways. $)
or-over-and-iff $p |- ( ( ph \/ ( ps /\ ch ) ) <-> ( ( ph \/ ps ) /\ ( ph \/
    ch ) ) ) $=
  ( iff-r w-or w-and or-over-and or-over-and-back )
  ABCFEABEACEFABCGABCHD $.

$( Conjunction distributes over disjunction from the right. $)
and-over-or-left $p |- ( ( ( ph \/ ps ) /\ ch ) <-> ( ( ph /\ ch ) \/ ( ps
    /\ ch ) ) ) $=
  ( iff-trans-r w-and w-or and-swap-iff and-over-or-iff iff-or )
  ABFZCEZCAEZCBEZFZACEZBCEZFKCJENJCGCABHDLOMPCAGCBGID $.

$( Absorption of a disjunction, both ways. $)
absorb-and-iff $p |- ( ph <-> ( ph /\ ( ph \/ ps ) ) ) $=
  ( iff-r w-and w-or absorb-and-back and-left )
  AAABEZDABFAHGC $.

$( Absorption of a conjunction, both ways. $)
absorb-or-iff $p |- ( ph <-> ( ph \/ ( ph /\ ps ) ) ) $=
  ( iff-r w-or w-and or-left absorb-or )
  AAABEZDAHFABGC $.

$( De Morgan for a disjunction, both ways. $)
de-morgan-or-iff $p |- ( -. ( ph \/ ps ) <-> ( -. ph /\ -. ps ) ) $=
  ( iff-r w-not w-or w-and de-morgan-or de-morgan-or-back )
  ABEDADBDFABGABHC $.

$( De Morgan for a conjunction, both ways. $)
de-morgan-and-iff $p |- ( -. ( ph /\ ps ) <-> ( -. ph \/ -. ps ) ) $=
  ( iff-r w-not w-and w-or de-morgan-and de-morgan-and-back )
  ABEDADBDFABGABHC $.

$( Implication distributes over a conjunction. $)
and-target-iff $p |- ( ( ph -> ( ps /\ ch ) ) <-> ( ( ph -> ps ) /\ ( ph ->
    ch ) ) ) $=
  ( iff-r w-imp w-and and-target-back and-target )
  ABCFEABEACEFABCGABCHD $.

$( Implication turns a disjunction of antecedents into a conjunction. $)
or-source-iff $p |- ( ( ( ph \/ ps ) -> ch ) <-> ( ( ph -> ch ) /\ ( ps ->
    ch ) ) ) $=
  ( iff-r w-imp w-or w-and or-source-back or-source )
  ABFCEACEBCEGABCHABCID $.

$( A statement implies another if their conjunction is no more than itself.
   $)
imp-and-iff $p |- ( ( ph -> ps ) <-> ( ph <-> ( ph /\ ps ) ) ) $=
  ( iff-r w-imp w-iff w-and iff-d distribute-r and-join weaken-r and-left
  chain-end iff-forth and-right )
  ABDZAABFZEZOAPABPABIHPADOABKJGQAPBAPMABNLC $.

$( A statement implies another if their disjunction adds nothing to it. $)
imp-join-iff $p |- ( ( ph -> ps ) <-> ( ps <-> ( ph \/ ps ) ) ) $=
  ( iff-r w-imp w-iff w-or iff-d weaken-r or-right swap-r conclude-or
  chain-mid or-left iff-back )
  ABDZBABFZEZOBPBPDOABIHPOBABKJGAPQBABMBPNLC $.

$( Equivalent statements are both true or both false. $)
iff-agree $p |- ( ( ph <-> ps ) -> ( ( ph /\ ps ) \/ ( -. ph /\ -. ps ) ) )
    $=
  ( by-cases-d w-iff w-or w-and w-not chain-end chain-r w-imp iff-forth
  distribute-r and-join or-left contra-d iff-back or-right )
  ABDZAABFZAGZBGZFZEZRASUCRABJASJABKABSABMLISUBNHRTUBUCRTUAJTUBJRBAABPOTUAUB
  TUAMLISUBQHC $.

$( The converse of ~ iff-agree . $)
agree-iff $p |- ( ( ( ph /\ ps ) \/ ( -. ph /\ -. ps ) ) -> ( ph <-> ps ) )
    $=
  ( or-cases w-and w-not w-iff import-r iff-true iff-false )
  ABDAEZBEZDABFZABLABHGJKLABIGC $.

$( No statement is equivalent to its denial. $)
not-iff-self $p |- -. ( ph <-> -. ph ) $=
  ( reductio-r w-iff w-not mp-d chain-r w-imp iff-forth self-refute iff-back
  )
  AADZCZALKALAKGKAKHAIFZAKJEMB $.

$( A denial moves from one side of an equivalence to the other. $)
iff-not-shift $p |- ( ( ph <-> -. ps ) -> ( -. ph <-> ps ) ) $=
  ( iff-d w-iff w-not contra-neg-d iff-back chain-r w-imp iff-forth
  contra-pos )
  ABEZDZAEZBMBAALGFMALIBNIALJABKHC $.

$( Of two statements that are not equivalent each is the other's denial. $)
not-iff $p |- ( -. ( ph <-> ps ) -> ( ph <-> -. ps ) ) $=
  ( iff-d w-not w-iff swap-r contra-d iff-true contra-neg-d iff-false )
  ABEZDZABDZALMABKABHGFMLAMAKADMKABJFIFC $.

$( A statement equivalent to its own equivalence with another proves that
   other. $)
iff-cancel $p |- ( ( ph <-> ( ph <-> ps ) ) -> ps ) $=
  ( by-cases-d w-iff chain-r w-imp iff-forth distribute-r iff-given w-not
  contra-d iff-back contra-neg-d iff-false )
  AABDZDZABPAOFABFAOGAOBABIHEPAJZOJZFQBFPOAAOLKQRBQBOABNMHEC $.

$( A true part of a conjunction makes no difference. $)
iff-and-cancel $p |- ( ph -> ( ps <-> ( ph /\ ps ) ) ) $=
  ( iff-d w-and and-join weaken-r w-imp and-right )
  ABABDZABEIBGAABHFC $.

$( A false part of a disjunction makes no difference. $)
iff-or-cancel $p |- ( -. ph -> ( ps <-> ( ph \/ ps ) ) ) $=
  ( mp w-imp w-iff w-or w-not iff-forth-r imp-join-iff luka-third )
  ABDZBABFEZDAGLDKLABIHABLJC $.

$( Beside an assumption, what is equivalent under it can be replaced. $)
and-iff-under $p |- ( ( ph -> ( ps <-> ch ) ) -> ( ( ph /\ ps ) <-> ( ph /\
    ch ) ) ) $=
  ( iff-d w-imp w-iff w-and chain-r prefix-r iff-forth and-under iff-back )
  ABCFZEZABGZACGZNABCEZEOPEAMQBCJIABCKHNACBEZEPOEAMRBCLIACBKHD $.

$( Peirce's law, both ways. $)
peirce-law-iff $p |- ( ph <-> ( ( ph -> ps ) -> ph ) ) $=
  ( iff-r w-imp ax-k peirce-law )
  AABDZADAGEABFC $.

$( ---- Further ---- $)

$( A true side of an equivalence makes no difference. $)
iff-true-left $p |- ( ph -> ( ps <-> ( ph <-> ps ) ) ) $=
  ( iff-d w-iff iff-true iff-given )
  ABABDABEABFC $.

$( A false side of an equivalence denies the other. $)
iff-false-left $p |- ( -. ph -> ( -. ps <-> ( ph <-> ps ) ) ) $=
  ( iff-d w-not w-iff iff-false swap-r contra-d iff-back )
  ADZBDZABEZABFLJKLBAABIHGC $.

$( A denied equivalence is one with the first side denied. $)
not-iff-left $p |- ( -. ( ph <-> ps ) <-> ( -. ph <-> ps ) ) $=
  ( iff-r w-not w-iff chain-r not-iff iff-not-shift iff-sym contra-pos-r
  mp-inner not-iff-self contra-d iff-trans )
  ABEZDZADZBEZPABDERABGABHFRBQEZPQBIOSOAQEZDSDALOSTABQNMKJFC $.

${
  iff-iff-d.1 $e |- ( ph -> ( ps <-> ch ) ) $.
  $( Equivalent left sides make equivalent biconditionals, under an
     antecedent. $)
  iff-iff-d $p |- ( ph -> ( ( ps <-> th ) <-> ( ch <-> th ) ) ) $=
    ( iff-d w-iff mp w-imp iff-sym both-ways-r iff-trans chain-r )
    ABDGZCDGZBCGZCBGZIANOIZIBCJAPQRECBDLKHAPONIEBCDLMF $.
$}

$( Equivalence is associative (Lukasiewicz). $)
iff-assoc $p |- ( ( ( ph <-> ps ) <-> ch ) <-> ( ph <-> ( ps <-> ch ) ) ) $=
  ( by-cases-r w-iff iff-trans-d iff-iff-d iff-d iff-given iff-true
  iff-true-left w-not chain-r iff-false-left iff-sym weaken-r iff-sym-r
  not-iff-left )
  AABEZCEZABCEZEZEATUAUBASBCASBABIABJHGAUAKFALZTBLZCEZUBUCUETETUEEUCUDSCABNG
  UETOMUCUEUALZUBUEUFEUCUFUEBCRQPAUANFFD $.

$( Lukasiewicz's single axiom for equivalence alone. $)
iff-single $p |- ( ( ph <-> ps ) <-> ( ( ch <-> ps ) <-> ( ph <-> ch ) ) )
    $=
  ( mp w-iff iff-assoc iff-forth-r iff-iff iff-iff-left iff-swap-iff
  iff-back-r )
  ACEZCEZBEZLCBEZEZEZABEZOLEZEZLCBFQTNRPSMABLCAEEZMAEZACJUBUALCAFKDILOJHGD $.

$( The golden rule of Dijkstra and Scholten. $)
golden $p |- ( ( ph <-> ps ) <-> ( ( ph /\ ps ) <-> ( ph \/ ps ) ) ) $=
  ( iff-r w-iff w-and w-or iff-d weaken-r w-imp and-or or-cases-d chain-r
  iff-forth distribute-r and-join chain-d iff-back both-ways-r or-left
  and-right or-right and-left )
  ABDZABEZABFZDZUCUDUEUDUEIUCABJHUCABUDUCABIAUDIABMABUDABONLZUCBAUDABQUGPKGU
  FUEUDIZUCUDUEQUHABAUEUDBABSABTRBUEUDAABUAABUBRGLC $.

$( If-then-else as a disjunction of conjunctions. $)
choice-forth $p |- ( ( ( ph -> ps ) /\ ( -. ph -> ch ) ) -> ( ( ph /\ ps )
    \/ ( -. ph /\ ch ) ) ) $=
  ( by-cases-d w-and w-imp w-not w-or chain-end and-first distribute-r
  and-join or-left and-second or-right )
  ABFZAGZCFZEZAABEZQCEZHZSATUBPRATFABTABLKJTUAMISQUAUBPRQUAFQCUAQCLKNTUAOID $.

$( The converse of ~ choice-forth . $)
choice-back $p |- ( ( ( ph /\ ps ) \/ ( -. ph /\ ch ) ) -> ( ( ph -> ps ) /\
    ( -. ph -> ch ) ) ) $=
  ( or-cases w-and w-not w-imp and-join-d weaken-d and-right and-first
  explode-swap explode-d and-left )
  ABEZAFZCEZABGZPCGZEORSOBAABJIABSACLKHQRSQABPCNMQCPPCJIHD $.

$( The two ways to say if-then-else. $)
choice-iff $p |- ( ( ( ph -> ps ) /\ ( -. ph -> ch ) ) <-> ( ( ph /\ ps ) \/
    ( -. ph /\ ch ) ) ) $=
  ( iff-r w-and w-imp w-not w-or choice-forth choice-back )
  ABFAGZCFEABEKCEHABCIABCJD $.

$( A circle of implications makes equivalents. $)
round-trip $p |- ( ( ( ph -> ps ) /\ ( ( ps -> ch ) /\ ( ch -> ph ) ) ) -> (
    ph <-> ch ) ) $=
  ( iff-d w-and w-imp chain-d and-left and-second and-right )
  ABFZBCFZCAFZEZEZACOABCKNHKNLLMHIGKNMLMJID $.

$( If two of three statements hold, each pair has one that holds. $)
majority $p |- ( ( ( ph /\ ps ) \/ ( ( ps /\ ch ) \/ ( ch /\ ph ) ) ) -> ( (
    ph \/ ps ) /\ ( ( ps \/ ch ) /\ ( ch \/ ph ) ) ) ) $=
  ( or-cases w-and w-or and-join-d and-or and-swap-d and-mono or-right
  or-left and-first and-second )
  ABEZBCEZCAEZFABFZBCFZCAFZEZEZORUAABHOTSATBSCAKZBCLZJIGPQUBPRUABCRABKMBSCTU
  DCALJGQRUACARABLNCSATBCKUCJGDD $.

$( Meredith's single axiom for implication and denial. $)
meredith-all $p |- ( ( ( ( ( ph -> ps ) -> ( -. ch -> -. th ) ) -> ch ) ->
    ta ) -> ( ( ta -> ph ) -> ( th -> ph ) ) ) $=
  ( mp w-imp w-not mp-deep both-ways-r swap-r suffix-d rotate-r explode ax-n
  prefix-r ax-k by-cases )
  AHZDEGZGZEAGZSDAGZGZGZGABGZCHDHGZGZCGZEGZUBUCGZGSDEAIUJUAUEUKSUJTSDUIEUHSD
  CSUFUGDCGABNCDOJMLKUBUDUCAUCGUDUCGADQAUCRFPJF $.
