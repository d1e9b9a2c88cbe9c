import Scoring
import Testing

/// Expected values come from sacreBLEU 2.6.0: `sacrebleu.corpus_bleu(hypotheses, [references])`.
@Suite struct BLEUTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let hypotheses: [String]
        let references: [String]
        let score: Double
        let hypothesisLength: Int
        let referenceLength: Int
        var testDescription: String { name }

        init(
            _ name: String, _ hypotheses: [String], _ references: [String], _ score: Double,
            _ hypothesisLength: Int, _ referenceLength: Int
        ) {
            self.name = name
            self.hypotheses = hypotheses
            self.references = references
            self.score = score
            self.hypothesisLength = hypothesisLength
            self.referenceLength = referenceLength
        }
    }

    @Test(arguments: cases) func `scores as sacreBLEU does`(_ expected: Case) throws {
        let score = try #require(
            BLEU().score(of: expected.hypotheses, against: [expected.references]))
        let details = try #require(score.details)
        #expect(abs(score.value - expected.score) < 1e-9)
        #expect(details.hypothesisLength == expected.hypothesisLength)
        #expect(details.referenceLength == expected.referenceLength)
    }

    @Test func `no sentences have no score`() {
        #expect(BLEU().score(of: [], against: [[]]) == nil)
    }

    // swift-format-ignore
    static let cases = [
        Case(
            "identical",
            ["The cat sat on the mat."],
            ["The cat sat on the mat."],
            100.00000000000004, 7, 7),
        Case(
            "one word off",
            ["La valeur absolue d'un nombre complexe."],
            ["Renvoie la valeur absolue d'un nombre complexe."],
            70.1396726799769, 7, 8),
        Case(
            "empty hypothesis alone",
            [""],
            ["Une phrase enti\u{e8}re de r\u{e9}f\u{e9}rence."],
            0.0, 0, 6),
        Case(
            "empty hypothesis among others",
            ["", "Choisissez Fichier - Nouveau - \u{c9}tiquettes."],
            ["Une phrase de r\u{e9}f\u{e9}rence.", "Choisissez Fichier - Nouveau - \u{c9}tiquettes."],
            48.95416595569534, 7, 12),
        Case(
            "empty reference",
            ["quelque chose de bien long ici", "un deux trois quatre cinq"],
            ["", "un deux trois quatre cinq"],
            43.13894320445206, 11, 5),
        Case(
            "nothing in common",
            ["alpha beta gamma delta"],
            ["un deux trois quatre"],
            0.0, 4, 4),
        Case(
            "short, no four-grams",
            ["oui non"],
            ["oui non"],
            0.0, 2, 2),
        Case(
            "short with zero higher matches",
            ["la table de la base"],
            ["une table pour cette base"],
            12.703318703865365, 5, 5),
        Case(
            "zero matches twice",
            ["a x b y c z", "d"],
            ["a b c d e f", "d"],
            11.044795567078944, 7, 7),
        Case(
            "too long",
            ["le le le le le chat chat est est sur le tapis gris"],
            ["le chat est sur le tapis"],
            24.316915840399727, 13, 6),
        Case(
            "too short",
            ["le chat est sur"],
            ["le chat est sur le tapis gris de la maison"],
            22.31301601484299, 4, 10),
        Case(
            "case matters",
            ["Le Chat Est Sur Le Tapis Gris"],
            ["le chat est sur le tapis gris"],
            0.0, 7, 7),
        Case(
            "numbers",
            ["Il y a 1,234.5 pages, soit 3.14 % de 10,000 - environ 5-6 par jour."],
            ["Il y a 1,234.5 pages, soit 3,14 % de 10.000 - environ 5-6 par jour."],
            70.9421400618421, 19, 19),
        Case(
            "punctuation",
            ["Cliquez sur (OK), puis: \u{22}Suivant\u{22}; [x] {y} a/b ~c @d #e $f ^g `h`!"],
            ["Cliquez sur (OK) , puis : \u{22}Suivant\u{22} ; [x] {y} a / b ~c @d #e $f ^g `h` !"],
            100.00000000000004, 35, 35),
        Case(
            "entities",
            ["&quot;Bonjour&quot; &amp; &lt;b&gt; au revoir &amp;quot; fin"],
            ["\u{22}Bonjour\u{22} & <b> au revoir &quot; fin"],
            66.52049901111006, 13, 11),
        Case(
            "skipped",
            ["un <skipped>deux trois quatre cinq<skipped> six"],
            ["un deux trois quatre cinq six"],
            100.00000000000004, 6, 6),
        Case(
            "apostrophes and dashes",
            ["l'image d\u{2019}arri\u{e8}re-plan n'est-elle pas 3-D ou a-3-b ?"],
            ["l'image d'arri\u{e8}re-plan n'est-elle pas 3 - D ou a-3-b ?"],
            82.651681837938, 12, 12),
        Case(
            "dots",
            ["Voir p.ex. l'annexe... No. 5, .5 et 5. Etc.,fin."],
            ["Voir p. ex. l'annexe ... No. 5, .5 et 5 . Etc. , fin."],
            100.00000000000004, 23, 23),
        Case(
            "unicode",
            ["\u{108}u vi parolas Esperanton? \u{65e5}\u{672c}\u{8a9e} \u{30c6}\u{30b9}\u{30c8}, \u{ab}oui\u{bb} \u{2013} \u{201c}non\u{201d} \u{2026}"],
            ["\u{108}u vi parolas Esperanton ? \u{65e5}\u{672c}\u{8a9e} \u{30c6}\u{30b9}\u{30c8} , \u{ab}oui\u{bb} \u{2013} \u{201c}non\u{201d} \u{2026} \u{1f600}"],
            92.00444146293236, 12, 13),
        Case(
            "composed and decomposed differ",
            ["un cafe\u{301} noir et un the\u{301} vert"],
            ["un caf\u{e9} noir et un th\u{e9} vert"],
            27.77619034011791, 7, 7),
        Case(
            "no-break spaces",
            ["Formule\u{a0}: d\u{e9}finissez\u{202f}le minimum\u{2003}et le maximum\u{a0}!"],
            ["Formule : d\u{e9}finissez le minimum et le maximum !"],
            100.00000000000004, 9, 9),
        Case(
            "white space",
            ["  un\u{9}deux \u{a} trois  quatre cinq \u{d}\u{a}"],
            ["un deux trois quatre cinq"],
            100.00000000000004, 5, 5),
        Case(
            "hyphen at a line's end",
            ["un mot cou-\u{a}p\u{e9} en deux ici"],
            ["un mot coup\u{e9} en deux ici"],
            100.00000000000004, 6, 6),
        Case(
            "other digits",
            ["\u{663}\u{66b}\u{665} et \u{ff14},\u{ff15} et \u{bd},x"],
            ["\u{663}\u{66b}\u{665} et \u{ff14} , \u{ff15} et \u{bd} , x"],
            100.00000000000004, 9, 9),
        Case(
            "several",
            ["S\u{e9}lectionnez la couleur de la ligne.", "Ouvre la bo\u{ee}te de dialogue Styles.", "Ins\u{e8}re une ligne au-dessus de la cellule active.", "Saisissez le nom."],
            ["S\u{e9}lectionnez une couleur pour la ligne.", "Ouvre la bo\u{ee}te de dialogue Formater.", "Ins\u{e8}re une ligne au-dessous de la cellule active.", "Saisissez un nom pour la macro."],
            41.82629717815864, 27, 30),
        Case(
            "no sentences at all with words",
            ["", ""],
            ["", ""],
            0.0, 0, 0),
    ]
}
