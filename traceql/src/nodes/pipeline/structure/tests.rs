use proptest::{prelude::*, sample::Index};

use super::*;

const RELATIONS: [Relation; 5] =
    [Relation::Parent, Relation::Ancestor, Relation::Child, Relation::Descendant, Relation::Sibling];
const MODES: [StructuralMode; 3] = [StructuralMode::Related, StructuralMode::Unrelated, StructuralMode::Union];

/// What a span hangs on.
#[derive(Debug, Clone, Copy)]
enum Link {
    Root,
    /// A parent that no span is.
    Missing(u64),
    /// An earlier span of the same trace, this many before the last one (counted round and round).
    Under(usize),
    /// A copy that queries never see, with the id of the parent that its stored row names.
    Shadowed(Option<u64>),
}

/// A span as it comes, and whether the operands keep it.
#[derive(Debug, Clone, Copy)]
struct Span {
    link: Link,
    left: bool,
    right: bool,
}

/// What the definition looks at: explicit parents, no order.
#[derive(Debug, Clone, Copy)]
struct Row {
    trace: usize,
    parent: Option<usize>,
    missing: Option<u64>,
    shadowed: bool,
    left: bool,
    right: bool,
}

/// Rows of whole traces, and what the kernels are given for them.
#[derive(Debug, Default)]
struct Forest {
    rows: Vec<Row>,
    parent_offsets: Vec<u32>,
    descendants: Vec<u32>,
    families: Vec<u32>,
}

impl Forest {
    /// Puts each trace in pre-order: roots, orphans, and the copies at the end. Spans hang only on earlier ones, the first
    /// being a root then.
    fn new(traces: &[Vec<Span>]) -> Self {
        let mut forest = Self::default();
        let mut trace_starts = Vec::new();
        for (trace, spans) in traces.iter().enumerate() {
            trace_starts.push(forest.rows.len() as u32);
            let above = |place: usize| match spans[place].link {
                Link::Under(back) if place > 0 => Some(place - 1 - back % place),
                _ => None,
            };
            // A copy has no children: what hangs on one is a root as well.
            let above = |place| above(place).filter(|other| !matches!(spans[*other].link, Link::Shadowed(_)));
            let rank = |place: &usize| match spans[*place].link {
                Link::Root | Link::Under(_) => 0,
                Link::Missing(_) => 1,
                Link::Shadowed(_) => 2,
            };
            let mut tops: Vec<_> = (0..spans.len()).filter(|place| above(*place).is_none()).collect();
            tops.sort_by_key(rank);
            for top in tops {
                forest.add(trace, spans, &above, top, None);
            }
        }
        forest.parent_offsets = forest
            .rows
            .iter()
            .enumerate()
            .map(|(row, it)| it.parent.map_or(0, |parent| (row - parent) as u32))
            .collect();
        forest.families = families(&forest.parent_offsets, &trace_starts, |row| forest.rows[row].missing);
        forest
    }

    fn add(
        &mut self,
        trace: usize,
        spans: &[Span],
        above: &dyn Fn(usize) -> Option<usize>,
        place: usize,
        parent: Option<usize>,
    ) {
        let Span { link, left, right } = spans[place];
        let (missing, shadowed) = match link {
            Link::Missing(id) => (Some(id), false),
            Link::Shadowed(id) => (id, true),
            Link::Root | Link::Under(_) => (None, false),
        };
        let row = self.rows.len();
        self.rows.push(Row { trace, parent, missing, shadowed, left: left && !shadowed, right: right && !shadowed });
        self.descendants.push(0);
        for child in (place + 1..spans.len()).filter(|child| above(*child) == Some(place)) {
            self.add(trace, spans, above, child, Some(row));
        }
        self.descendants[row] = (self.rows.len() - row - 1) as u32;
    }

    fn structure(&self) -> Structure<'_> {
        Structure { parent_offsets: &self.parent_offsets, descendants: &self.descendants, families: &self.families }
    }

    fn left(&self) -> Vec<bool> {
        self.rows.iter().map(|row| row.left).collect()
    }

    fn right(&self) -> Vec<bool> {
        self.rows.iter().map(|row| row.right).collect()
    }

    fn apply(&self, relation: Relation, mode: StructuralMode) -> Vec<bool> {
        apply(StructuralOp { relation, mode }, &self.structure(), &self.left(), &self.right())
    }

    /// The definition: whether span `l` is to span `r` what the relation says.
    fn holds(&self, relation: Relation, l: usize, r: usize) -> bool {
        let is_above = |upper: usize, lower: usize| {
            let mut at = self.rows[lower].parent;
            while at.is_some_and(|row| row != upper) {
                at = at.and_then(|row| self.rows[row].parent);
            }
            at.is_some()
        };
        let (one, other) = (self.rows[l], self.rows[r]);
        match relation {
            Relation::Parent => other.parent == Some(l),
            Relation::Ancestor => is_above(l, r),
            Relation::Child => one.parent == Some(r),
            Relation::Descendant => is_above(r, l),
            Relation::Sibling => {
                let key = |row: Row| (row.trace, row.parent, row.missing);
                l != r && key(one) == key(other) && !one.shadowed && !other.shadowed
            }
        }
    }

    /// The definition of the whole operator, pair by pair.
    fn naive(&self, relation: Relation, mode: StructuralMode) -> Vec<bool> {
        let all = 0..self.rows.len();
        let pair = |l: usize, r: usize| self.rows[l].left && self.rows[r].right && self.holds(relation, l, r);
        let kept = |row: usize| match mode {
            StructuralMode::Related => all.clone().any(|l| pair(l, row)),
            StructuralMode::Unrelated => self.rows[row].right && !all.clone().any(|l| pair(l, row)),
            StructuralMode::Union => all.clone().any(|other| pair(other, row) || pair(row, other)),
        };
        all.clone().map(kept).collect()
    }
}

fn spans() -> impl Strategy<Value = Span> {
    let link = prop_oneof![
        1 => Just(Link::Root),
        2 => (1..4_u64).prop_map(Link::Missing),
        8 => (0..25_usize).prop_map(Link::Under),
        // Chains, which a free choice of the parent hardly makes.
        4 => Just(Link::Under(0)),
        1 => prop::option::of(1..4_u64).prop_map(Link::Shadowed),
    ];
    (link, any::<bool>(), any::<bool>()).prop_map(|(link, left, right)| Span { link, left, right })
}

fn forests() -> impl Strategy<Value = Forest> {
    let trace = prop_oneof![1 => prop::collection::vec(spans(), 0..3), 3 => prop::collection::vec(spans(), 0..25)];
    prop::collection::vec(trace, 0..6).prop_map(|traces| Forest::new(&traces))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn every_operator_follows_its_definition(forest in forests()) {
        for relation in RELATIONS {
            for mode in MODES {
                prop_assert_eq!(forest.apply(relation, mode), forest.naive(relation, mode), "{:?} {:?}", relation, mode);
            }
        }
    }

    #[test]
    fn families_are_dense_and_tell_siblings(forest in forests()) {
        let mut opened = 0;
        for (row, &family) in forest.families.iter().enumerate() {
            prop_assert!(family <= opened);
            opened = opened.max(family + 1);
            for other in (0..row).filter(|other| !forest.rows[row].shadowed && !forest.rows[*other].shadowed) {
                prop_assert_eq!(forest.families[other] == family, forest.holds(Relation::Sibling, row, other));
            }
        }
    }

    #[test]
    fn rows_that_an_operand_lacks_are_false(forest in forests(), cuts in any::<[Index; 2]>(), excess in 0..3_usize) {
        let rows = forest.rows.len();
        let cut = |kept: &[bool], cut: Index| kept[..cut.index(rows + 1)].to_vec();
        let fitted = |kept: &[bool]| kept.iter().copied().chain([false; 200]).take(rows).collect::<Vec<_>>();
        let (left, right) = (cut(&forest.left(), cuts[0]), cut(&forest.right(), cuts[1]));
        let longer = |kept: &[bool]| [fitted(kept), vec![true; excess]].concat();
        for relation in RELATIONS {
            for mode in MODES {
                let run = |left: &[bool], right: &[bool]| apply(StructuralOp { relation, mode }, &forest.structure(), left, right);
                let expected = run(&fitted(&left), &fitted(&right));
                prop_assert_eq!(&run(&left, &right), &expected);
                prop_assert_eq!(&run(&longer(&left), &longer(&right)), &expected);
            }
        }
    }

    #[test]
    fn nothing_panics(
        slices in any::<[Vec<u32>; 3]>(),
        small in prop::collection::vec(0..9_u32, 0..40),
        left: Vec<bool>,
        right: Vec<bool>,
        missing: Option<u64>,
    ) {
        let [one, two, three] = &slices;
        prop_assert_eq!(families(one, two, |_| missing).len(), one.len());
        prop_assert_eq!(families(&small, one, |row| (row % 3 > 0).then_some(row as u64 / 9)).len(), small.len());
        for structure in [
            Structure { parent_offsets: one, descendants: two, families: three },
            Structure { parent_offsets: &small, descendants: &small, families: &small },
        ] {
            for relation in RELATIONS {
                for mode in MODES {
                    let kept = apply(StructuralOp { relation, mode }, &structure, &left, &right);
                    prop_assert!(kept.len() <= one.len().max(two.len()).max(three.len()).max(small.len()));
                }
            }
        }
    }
}

/// A word is a span: dashes for its depth, then which operands keep it: `l`, `r`, `b` for both or `.`. Before that, `?n`
/// names a missing parent. `x` is a copy; `/` starts the next trace.
fn forest(text: &str) -> Forest {
    let mut traces = vec![Vec::new()];
    let mut path: Vec<usize> = Vec::new();
    for word in text.split_whitespace() {
        if word == "/" {
            traces.push(Vec::new());
            path.clear();
            continue;
        }
        let trace = traces.last_mut().unwrap();
        let place = trace.len();
        let depth = word.chars().take_while(|letter| *letter == '-').count();
        let link = match (depth, word.strip_prefix('?')) {
            (0, Some(id)) => Link::Missing(id[..1].parse().unwrap()),
            (0, None) if word.starts_with('x') => Link::Shadowed(None),
            (0, None) => Link::Root,
            _ => Link::Under(place - 1 - path[depth - 1]),
        };
        let has = |letter| word.ends_with(letter) || word.ends_with('b');
        trace.push(Span { link, left: has('l'), right: has('r') });
        path.truncate(depth);
        path.push(place);
    }
    Forest::new(&traces)
}

/// The kept rows.
fn kept(text: &str, relation: Relation, mode: StructuralMode) -> Vec<usize> {
    let forest = forest(text);
    let result = forest.apply(relation, mode);
    assert_eq!(result, forest.naive(relation, mode));
    result.iter().enumerate().filter(|(_, kept)| **kept).map(|(row, _)| row).collect()
}

#[test]
fn a_parent_is_not_a_grandparent() {
    assert_eq!(kept("l -r --r -r", Relation::Parent, StructuralMode::Related), [1, 3]);
    assert_eq!(kept("l -r --r -r", Relation::Parent, StructuralMode::Unrelated), [2]);
    assert_eq!(kept("l -r --r -r", Relation::Parent, StructuralMode::Union), [0, 1, 3]);
    assert_eq!(kept("r -l --l -.", Relation::Child, StructuralMode::Union), [0, 1]);
}

#[test]
fn a_short_subtree_does_not_end_the_one_around_it() {
    // The row at 3 is past the inner `l`, and still below the outer one.
    assert_eq!(kept("l -l --r -r", Relation::Ancestor, StructuralMode::Related), [2, 3]);
    assert_eq!(kept("r -l --r -r", Relation::Ancestor, StructuralMode::Union), [1, 2]);
}

#[test]
fn a_span_is_no_partner_of_itself() {
    for relation in RELATIONS {
        assert_eq!(kept("b", relation, StructuralMode::Related), [0_usize; 0]);
        assert_eq!(kept("b", relation, StructuralMode::Unrelated), [0]);
        assert_eq!(kept("b", relation, StructuralMode::Union), [0_usize; 0]);
    }
    assert_eq!(kept(". -b -r -r", Relation::Sibling, StructuralMode::Related), [2, 3]);
    assert_eq!(kept(". -b -b", Relation::Sibling, StructuralMode::Related), [1, 2]);
}

#[test]
fn a_descendant_of_the_next_tree_does_not_count() {
    assert_eq!(kept("r -. / l -r --l", Relation::Descendant, StructuralMode::Related), [3]);
    assert_eq!(kept("r -. / l -r --l", Relation::Descendant, StructuralMode::Unrelated), [0]);
}

#[test]
fn roots_of_one_trace_are_siblings() {
    assert_eq!(kept("l r -r / r", Relation::Sibling, StructuralMode::Related), [1]);
    assert_eq!(kept("l r -r / r", Relation::Sibling, StructuralMode::Unrelated), [2, 3]);
}

#[test]
fn orphans_are_siblings_by_their_missing_parent() {
    assert_eq!(kept("l ?1l ?1r ?2r / ?2l ?1r", Relation::Sibling, StructuralMode::Union), [1, 2]);
    assert_eq!(kept("r ?1l -r --r", Relation::Ancestor, StructuralMode::Related), [2, 3]);
}

#[test]
fn a_large_family_is_not_counted_round() {
    for children in 254..260 {
        let text = format!("r{}", " -b".repeat(children));
        assert_eq!(kept(&text, Relation::Sibling, StructuralMode::Related).len(), children);
    }
}

#[test]
fn copies_at_the_end_of_a_trace_change_nothing() {
    for relation in RELATIONS {
        for mode in MODES {
            let without = kept("l -r --b / r -l", relation, mode);
            assert_eq!(kept("l -r --b / r -l x", relation, mode), without);
            let shifted: Vec<_> = without.iter().map(|row| row + usize::from(*row > 2)).collect();
            assert_eq!(kept("l -r --b x / r -l", relation, mode), shifted);
        }
    }
}

#[test]
fn an_empty_batch_has_an_empty_result() {
    assert_eq!(families(&[], &[], |_| None), [0_u32; 0]);
    for relation in RELATIONS {
        for mode in MODES {
            assert_eq!(kept("", relation, mode), [0_usize; 0]);
        }
    }
}

#[test]
fn families_count_in_order_of_their_first_rows() {
    let forest = forest(". -. --. -. ?7. ?8. ?7. / . / ?7.");
    assert_eq!(forest.families, [0, 1, 2, 1, 3, 4, 3, 5, 6]);
}
