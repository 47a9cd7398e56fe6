"""Small wrong changes of motion, propagation and relaxation: each must fail a test that passes without it.

How: `tests/mutants/mutation.py`.
"""

import inspect

import pytest
import torch
from tests.data import test_class_uniform as class_uniform_tests
from tests.golden import test_losses_golden as losses_golden
from tests.losses import test_losses_neighbourhood as neighbourhood_tests
from tests.losses import test_losses_relaxed as relaxed_tests
from tests.motion import test_learned_view as view_tests
from tests.mutants.mutation import mutated
from tests.parity import test_losses_parity as losses_parity
from tests.propagation import test_propagation_consistency as consistency_tests
from tests.propagation import test_propagation_keyframes as keyframes_tests
from tests.propagation import test_propagation_moving as moving_tests
from tests.propagation import test_propagation_score as score_tests
from tests.propagation import test_propagation_synthesis as synthesis_tests
from tests.propagation import test_propagation_warp as warp_tests
from tests.propagation.conftest import Laboratory

from borderlab.data.class_uniform import ClassUniform, label_centroids
from borderlab.evaluation.confusion import ConfusionMatrix
from borderlab.losses import neighbourhood, relaxed, set_loss
from borderlab.motion.learned import view
from borderlab.propagation import consistency, keyframes, moving, score, synthesis, warp


def definition_of_the_loss():
    losses_parity.test_loss_equals_its_definition(1, (1, 2), False, 4)


def gradient_of_the_loss():
    relaxed_tests.test_gradient((0,), (1.0, 0.5, 2.0, 0.0), torch.contiguous_format)


def exact_samples(distance):
    return lambda lab: synthesis_tests.test_exact_flow_gives_exact_samples(lab, distance)


MUTANTS = {
    "the window is a cross": (
        neighbourhood.spread_bits,
        "or_along(or_along(bits, -1, radius_px), -2, radius_px)",
        "or_along(bits, -1, radius_px) | or_along(bits, -2, radius_px)",
        neighbourhood_tests.test_diagonal_neighbours_count,
    ),
    "the window is one pixel too narrow": (
        neighbourhood.or_along,
        "min(radius_px, length - 1) + 1",
        "min(radius_px, length - 1)",
        neighbourhood_tests.test_a_row_by_hand,
    ),
    "classes outside the set count": (
        set_loss.SetLoss.forward,
        "sets.member.nonzero",
        "torch.ones_like(sets.member).nonzero",
        definition_of_the_loss,
    ),
    "the mass of a set is not divided by the whole": (
        set_loss.SetLoss.forward,
        "set_log_sum - row_total.log()",
        "set_log_sum",
        losses_golden.test_two_classes_at_the_border,
    ),
    "the largest score of a set stays in the sum": (
        set_loss._log_sum_exp,
        'scores.new_full((n_rows,), -torch.inf).scatter_reduce_(0, row, scores, "amax")',
        "scores.new_zeros(n_rows)",
        relaxed_tests.test_defect_2_a_hopeless_border_pixel_still_learns,
    ),
    "the gradient forgets its own class": (
        set_loss.SetLoss.forward,
        "own_term.sub_(total)",
        "own_term",
        gradient_of_the_loss,
    ),
    "the gradient pulls towards all classes of the set alike": (
        set_loss.SetLoss.forward,
        "sub_(q.mul_(row_total[row]))",
        "sub_(row_total[row])",
        gradient_of_the_loss,
    ),
    "ignored pixels count in the mean": (
        relaxed.relaxed_cross_entropy,
        "sets.labelled.to(logits) if",
        "torch.ones_like(logits[:, 0]) if",
        losses_golden.test_ignored_pixel_neither_pays_nor_helps,
    ),
    "all but the strict classes are strict": (
        set_loss.pixel_sets,
        "several &= target != strict_class",
        "several &= target == strict_class",
        losses_golden.test_strict_class_keeps_its_own_label,
    ),
    "relaxation never ends": (
        relaxed.RelaxedLoss.__call__,
        "self.radius_px if progress < self.until else 0",
        "self.radius_px",
        relaxed_tests.test_schedule_switches_to_cross_entropy,
    ),
    "u and v are exchanged": (
        warp.sampling_map,
        "flow[0] + np.arange(width",
        "flow[1] + np.arange(width",
        warp_tests.test_map_adds_the_flow_to_the_grid,
    ),
    "halves are rounded to even": (
        warp.warp_label,
        "np.floor(columns + 0.5)",
        "np.rint(columns)",
        warp_tests.test_nearest_rounds_halves_up_on_both_sides_of_zero,
    ),
    "the frame is half a pixel wider": (
        warp.in_frame,
        "columns < width - 0.5",
        "columns < width",
        warp_tests.test_in_frame_is_where_the_nearest_pixel_exists,
    ),
    "the way back is read where it starts": (
        consistency.is_consistent,
        "sample_flow(back, *sampling_map(flow))",
        "back.copy()",
        consistency_tests.test_way_back_is_read_where_the_way_there_ends,
    ),
    "the way back has the wrong sign": (
        consistency.is_consistent,
        "returned += flow",
        "returned -= flow",
        lambda: consistency_tests.test_thresholds(3.0, -3.0, True),
    ),
    "displacements are added without following the path": (
        moving.compose,
        "sample_flow(displacement, columns, rows)",
        "displacement",
        moving_tests.test_composed_displacement_is_the_known_one,
    ),
    "a pixel that was lost comes back": (
        moving.compose,
        "lost_here | (warp_label(lost.view(np.uint8), columns, rows) != 0)",
        "lost_here",
        lambda: moving_tests.test_pixel_lost_at_any_step_stays_lost(moving.move_at_once),
    ),
    "lost pixels keep their label": (
        moving._moved,
        "label[lost] = IGNORE_INDEX",
        "pass",
        lambda: moving_tests.test_whole_pixels_are_exact_and_lost_where_the_path_leaves(moving.move_at_once),
    ),
    "every step starts from the key frame": (
        synthesis._Maker._before,
        "if self.previous_folder is None:",
        "if True:",
        exact_samples(3),
    ),
    "the flow points the wrong way": (
        synthesis._Maker._step,
        "Step(self._flow(clip, far, near, pair), back)",
        "Step(self._flow(clip, near, far, pair), back)",
        exact_samples(1),
    ),
    "only one direction of flow is estimated": (
        keyframes.needed_pairs,
        "{(target, target - sign), (target - sign, target)}",
        "{(target, target - sign)}",
        keyframes_tests.test_pairs_are_both_directions_of_every_step_once,
    ),
    "void counts as a wrong label": (
        score.DistanceScore.update,
        "counted & (moved != IGNORE_INDEX)",
        "counted",
        score_tests.test_worked_example,
    ),
    "rows of the confusion matrix are predictions": (
        ConfusionMatrix.update,
        '(as_ids("target", target), as_ids("pred", pred))',
        '(as_ids("pred", pred), as_ids("target", target))',
        score_tests.test_worked_example,
    ),
    "a prediction is shown the frame that it foretells": (
        view.look,
        "_view([past, source], [past_flow], clip)",
        "_view([past, target], [past_flow], clip)",
        lambda: view_tests.test_a_prediction_does_not_see_the_future(3, 2),
    ),
    "the past is taken from the future": (
        view.past_index,
        "2 * source - target",
        "2 * target - source",
        lambda: view_tests.test_a_prediction_does_not_see_the_future(3, 2),
    ),
    "coarse frames stay an epoch too long": (
        ClassUniform.draw,
        "epoch < self.extra_until",
        "epoch <= self.extra_until",
        class_uniform_tests.test_extra_frames_join_for_their_classes_until_their_time_is_over,
    ),
    "centroids are those of the tile, not of the image": (
        label_centroids,
        "top + int(row)",
        "int(row)",
        class_uniform_tests.test_centroids_by_hand,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_noticed(name, tmp_path):
    function, fragment, replacement, test = MUTANTS[name]
    folders = iter((tmp_path / "right", tmp_path / "wrong"))

    def call():
        if not inspect.signature(test).parameters:
            return test()
        folder = next(folders)
        folder.mkdir()
        return test(Laboratory(folder))

    call()
    with mutated(function, fragment, replacement), pytest.raises((AssertionError, RuntimeError)):
        call()


def test_a_fragment_that_is_gone_is_an_error():
    gone = mutated(warp.sampling_map, "no such fragment", "")
    with pytest.raises(AssertionError, match="sampling_map holds 'no such fragment' 0 times"), gone:
        pytest.fail("the mutant ran")
