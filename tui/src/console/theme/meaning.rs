/// What a colour says. Views name meanings; only a theme knows colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(usize)]
#[allow(missing_docs, reason = "the names say it")]
pub(in crate::console) enum Meaning {
    /// The ground of the whole screen.
    Ground,
    Text,
    /// Labels, units, what is beside the point.
    Dim,
    /// Rules, axes, empty bars.
    Faint,
    /// The heading of a panel.
    Title,
    Brand,
    Number,
    Tab,
    TabCurrent,
    /// The selected row.
    Selected,
    /// A key in the footer.
    Key,
    KeyText,
    Good,
    Busy,
    Warn,
    Bad,
    /// The picture while the link is lost.
    Stale,
    /// Text found by a filter.
    Found,
    /// Ground of sheets.
    Sheet,
    SheetEdge,
    /// A line of text being typed.
    Input,
    /// Where an attempt begins.
    Mark,
    CurveA,
    CurveASoft,
    CurveB,
    CurveBSoft,
    CurveC,
    CurveCSoft,
    CurveD,
    CurveDSoft,
    /// What an earlier attempt measured and a later one measured again.
    Past,
    Bar,
    BarKept,
    BarDropped,
    LoadLow,
    LoadMiddle,
    LoadHigh,
    PhaseGenerate,
    PhaseScore,
    PhaseTrain,
    PhaseSync,
    PhaseSave,
    PhaseEval,
    PhaseOther,
    RolePrepare,
    RoleTrainer,
    RoleRollout,
}

use Meaning::*;

impl Meaning {
    /// How many there are.
    pub(super) const COUNT: usize = 47;

    /// All of them with their names in theme files, each at the place of its number.
    #[rustfmt::skip]
    pub(super) const ALL: [(Meaning, &'static str); Meaning::COUNT] = [
        (Ground, "ground"),
        (Text, "text"),
        (Dim, "dim"),
        (Faint, "faint"),
        (Title, "title"),
        (Brand, "brand"),
        (Number, "number"),
        (Tab, "tab"),
        (TabCurrent, "tab-current"),
        (Selected, "selected"),
        (Key, "key"),
        (KeyText, "key-text"),
        (Good, "good"),
        (Busy, "busy"),
        (Warn, "warn"),
        (Bad, "bad"),
        (Stale, "stale"),
        (Found, "found"),
        (Sheet, "sheet"),
        (SheetEdge, "sheet-edge"),
        (Input, "input"),
        (Mark, "mark"),
        (CurveA, "curve-a"),
        (CurveASoft, "curve-a-soft"),
        (CurveB, "curve-b"),
        (CurveBSoft, "curve-b-soft"),
        (CurveC, "curve-c"),
        (CurveCSoft, "curve-c-soft"),
        (CurveD, "curve-d"),
        (CurveDSoft, "curve-d-soft"),
        (Past, "past"),
        (Bar, "bar"),
        (BarKept, "bar-kept"),
        (BarDropped, "bar-dropped"),
        (LoadLow, "load-low"),
        (LoadMiddle, "load-middle"),
        (LoadHigh, "load-high"),
        (PhaseGenerate, "phase-generate"),
        (PhaseScore, "phase-score"),
        (PhaseTrain, "phase-train"),
        (PhaseSync, "phase-sync"),
        (PhaseSave, "phase-save"),
        (PhaseEval, "phase-eval"),
        (PhaseOther, "phase-other"),
        (RolePrepare, "role-prepare"),
        (RoleTrainer, "role-trainer"),
        (RoleRollout, "role-rollout"),
    ];

    /// The meaning of this name.
    pub(super) fn from_name(name: &str) -> Option<Meaning> {
        Meaning::ALL.iter().find(|(_, known)| *known == name).map(|(meaning, _)| *meaning)
    }
}
